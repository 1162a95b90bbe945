//! Recognises files of weights that are not safetensors by their first bytes, and says how to convert them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Bytes that are read: enough for the first names in a zip and the producer of an ONNX file.
const LOOKED_AT: u64 = 4096;

/// Refuses a file that is known not to be safetensors.
///
/// # Errors
/// [`Error::Checkpoint`] says what the file is and how to convert it.
pub(super) fn check(path: &Path) -> Result<()> {
    let failed = |e| Error::file(path, e);
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        let message = "is a folder; a safetensors file in it is wanted";
        return Err(Error::checkpoint(path, message));
    }
    let mut start = Vec::new();
    file.take(LOOKED_AT)
        .read_to_end(&mut start)
        .map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match detect(&start, about.len(), &name) {
        Some(message) => Err(Error::checkpoint(path, message)),
        None => Ok(()),
    }
}

/// Whether a file is an ONNX model: by its first bytes, or, where these say nothing, by its name.
///
/// # Errors
/// When the file cannot be read.
pub fn is_onnx_file(path: &Path) -> Result<bool> {
    let failed = |e| Error::file(path, e);
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LOOKED_AT).read_to_end(&mut start))
        .map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(!is_safetensors(&start) && is_onnx(&start, &name))
}

/// What a file of `size` bytes with this beginning is; `None` if it may be a safetensors file.
fn detect(start: &[u8], size: u64, name: &str) -> Option<String> {
    let has = |text: &str| {
        let text = text.as_bytes();
        start.windows(text.len()).any(|part| part == text)
    };
    let text = start.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let begins = |with: &str| {
        let begin = text.get(..with.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
    };
    let detected = match start {
        [] => "is empty".to_owned(),
        _ if is_safetensors(start) => return cut_off(start, size),
        _ if begins("version https://git-lfs.github.com/spec/") => {
            let bytes = pointed_size(text);
            let bytes = bytes.map_or_else(String::new, |bytes| format!(" of {bytes} bytes"));
            format!(
                "is a Git LFS pointer, which stands for a file{bytes} that was not fetched: `git lfs install` and \
                 `git lfs pull` in its repository fetch it"
            )
        }
        _ if begins("<!doctype html") || begins("<html") || begins("<head") => {
            "is a page of HTML, such as a server answers in the place of a file that is not there or that wants a \
             login: download the file itself (on Hugging Face, the address with /resolve/ in the place of /blob/)"
                .to_owned()
        }
        _ if begins("<?xml") => {
            "is XML, such as a storage server answers in the place of a file: download the file itself".to_owned()
        }
        [b'{', ..] if has("\"weight_map\"") => {
            "is the index of weights that are in several files, and holds none itself: load these in Python with \
             safetensors.torch.load_file, join them with dict.update, and write one file with \
             safetensors.torch.save_file"
                .to_owned()
        }
        [b'{' | b'[', ..] => {
            "is JSON, such as a configuration or a server's error, and holds no weights".to_owned()
        }
        [b'P', b'K', 3, 4, ..] if has("data.pkl") => of_pytorch("(a pickle in a zip)", name),
        [b'P', b'K', 3, 4, ..] if has(".npy") => from_numpy("is NumPy's .npz", name),
        [b'P', b'K', 3, 4, ..] if has("model.weights.h5") || has("metadata.json") => {
            from_keras("is a Keras model (.keras)", name)
        }
        [b'P', b'K', 3 | 5, 4 | 6, ..] => {
            "is a zip: unpack it, and give the safetensors file in it".to_owned()
        }
        [0x80, 2..=5, ..] => of_pytorch("(a pickle)", name),
        [0x89, b'H', b'D', b'F', ..] => from_keras("is an HDF5 file, as Keras writes", name),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => from_numpy("is NumPy's .npy", name),
        [b'G', b'G', b'U', b'F', ..] | [b'l', b'm' | b'j', b'g', b'g', ..] => {
            "is a GGUF or GGML file of llama.cpp, whose weights are mostly quantised: the model that it was made of is \
             wanted, as safetensors"
                .to_owned()
        }
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => {
            "is a TensorFlow Lite model: the model that it was made of is wanted, saved as safetensors".to_owned()
        }
        [0x1f, 0x8b, ..] => packed("gzip"),
        [b'B', b'Z', b'h', ..] => packed("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => packed("xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => packed("zstd"),
        [b'7', b'z', 0xbc, 0xaf, ..] => packed("7z"),
        _ if start.get(257..262) == Some(b"ustar") => packed("tar"),
        _ if is_onnx(start, name) => {
            "is an ONNX model, not a safetensors file. In Python:\n\
                 import onnx; from onnx import numpy_helper; from safetensors.numpy import save_file\n    \
                 w = {i.name: numpy_helper.to_array(i) for i in onnx.load(\"FILE\").graph.initializer}\n    \
                 save_file(w, \"weights.safetensors\")\n\
             The names must be PyTorch's, as torch.onnx.export keeps them without constant folding"
                .replace("FILE", name)
                .replace("Python:\n", "Python:\n    ")
        }
        _ if start.iter().all(|&byte| byte == 0) => {
            "begins with nothing but zeros: the download or the disk lost what belongs there".to_owned()
        }
        _ => return cut_off(start, size),
    };
    Some(detected)
}

/// Whether a file begins like a safetensors file: the length of a JSON header, and the header.
fn is_safetensors(start: &[u8]) -> bool {
    matches!(start, [_, _, _, _, _, 0, 0, 0, b'{', ..])
}

/// The fault of a safetensors file that is too short.
fn cut_off(start: &[u8], size: u64) -> Option<String> {
    let Some((length, _)) = start.split_first_chunk::<8>() else {
        return Some(format!("is not a safetensors file: it has {size} bytes"));
    };
    if !is_safetensors(start) {
        return Some("is not a safetensors file".to_owned());
    }
    let header = u64::from_le_bytes(*length);
    (header > size - 8).then(|| {
        format!("is cut off: its header alone has {header} bytes, and the file has {size}")
    })
}

fn packed(how: &str) -> String {
    format!("is packed with {how}: unpack it, and give the safetensors file in it")
}

fn of_pytorch(how: &str, name: &str) -> String {
    format!(
        "is a file of PyTorch's torch.save {how}, not a safetensors file; a pickle can run code when it is read, so none \
         is read here. In Python:\n    \
         import torch; from safetensors.torch import save_file\n    \
         w = torch.load(\"{name}\", map_location=\"cpu\", weights_only=True)\n    \
         save_file({{k: v.contiguous() for k, v in w.items()}}, \"weights.safetensors\")\n\
         Where the weights are within a checkpoint, w is its w[\"state_dict\"] or w[\"model\"]"
    )
}

fn from_numpy(what: &str, name: &str) -> String {
    format!(
        "{what}, not a safetensors file. In Python:\n    \
         import numpy; from safetensors.numpy import save_file\n    \
         w = numpy.load(\"{name}\")\n    \
         save_file({{k: w[k] for k in w.files}}, \"weights.safetensors\")"
    )
}

fn from_keras(what: &str, name: &str) -> String {
    format!(
        "{what}, not a safetensors file. In Python:\n    \
         import keras; from safetensors.numpy import save_file\n    \
         m = keras.models.load_model(\"{name}\")\n    \
         save_file({{v.path: v.numpy() for v in m.variables}}, \"weights.safetensors\")\n\
         Names and shapes must then be made PyTorch's: kernels are transposed there"
    )
}

/// Whether a file is ONNX: a protocol buffer that begins with the version of the format, then a producer, a domain or a
/// graph.
fn is_onnx(start: &[u8], name: &str) -> bool {
    match start {
        [
            8,
            1..=20,
            0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42,
            ..,
        ] => true,
        _ => name.to_lowercase().ends_with(".onnx"),
    }
}

/// The size in a Git LFS pointer.
fn pointed_size(pointer: &[u8]) -> Option<u64> {
    let text = str::from_utf8(pointer).ok()?;
    let size = text.lines().find_map(|line| line.strip_prefix("size "))?;
    size.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(start: &[u8]) -> String {
        detect(start, start.len() as u64, "net.bin").unwrap_or_default()
    }

    #[test]
    fn a_file_is_called_what_it_is_with_the_way_out() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let zip = |entry: &str| [b"PK\x03\x04................", entry.as_bytes()].concat();
        for (start, what, way_out) in [
            (zip("net/data.pkl"), "torch.save", "weights_only=True"),
            (
                b"\x80\x02\x8a\x0al\xfc\x9cF".to_vec(),
                "torch.save",
                "save_file({k: v.contiguous()",
            ),
            (
                b"\x80\x04\x95".to_vec(),
                "a pickle",
                "torch.load(\"net.bin\"",
            ),
            (zip("a.npy"), ".npz", "numpy.load"),
            (zip("model.weights.h5"), "Keras", "load_model"),
            (zip("photo.png"), "is a zip", "unpack"),
            (b"\x89HDF\r\n\x1a\n".to_vec(), "HDF5", "load_model"),
            (b"\x93NUMPY".to_vec(), ".npy", "numpy.load"),
            (
                b"GGUF\x03\0\0\0".to_vec(),
                "GGUF",
                "the model that it was made of",
            ),
            (
                b"\x08\x07\x12\x07pytorch".to_vec(),
                "ONNX",
                "onnx.load(\"net.bin\")",
            ),
            (b"\x1c\0\0\0TFL3".to_vec(), "TensorFlow Lite", "safetensors"),
            (b"\x1f\x8b\x08".to_vec(), "gzip", "unpack"),
            (tar, "tar", "unpack"),
            (b"\n <!DOCTYPE HTML><p>404".to_vec(), "HTML", "/resolve/"),
            (
                b"<?xml version=\"1.0\"?><Error>".to_vec(),
                "XML",
                "download",
            ),
            (
                br#"{"error": "not found"}"#.to_vec(),
                "JSON",
                "holds no weights",
            ),
            (br#"{"weight_map": {}}"#.to_vec(), "the index", "load_file"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 548\n".to_vec(),
                "Git LFS pointer, which stands for a file of 548 bytes",
                "git lfs pull",
            ),
            (Vec::new(), "is empty", ""),
            (vec![0; 100], "zeros", ""),
            (
                b"\x10\0\0\0\0\0\0\0{\"a".to_vec(),
                "is cut off: its header alone has 16 bytes",
                "",
            ),
            (
                b"words and more words".to_vec(),
                "is not a safetensors file",
                "",
            ),
            (
                b"words".to_vec(),
                "is not a safetensors file: it has 5 bytes",
                "",
            ),
        ] {
            let detected = of(&start);
            assert!(detected.contains(what), "{what}: {detected}");
            assert!(detected.contains(way_out), "{way_out}: {detected}");
        }
    }

    #[test]
    fn a_safetensors_file_passes_whatever_its_name_and_whatever_its_length_looks_like() {
        // A length whose first bytes are those of other kinds.
        for low in [
            0x80u64 | 0x04 << 8,
            0x1f | 0x8b << 8,
            u64::from(b'{'),
            0x08 | 0x07 << 8,
        ] {
            let mut start = low.to_le_bytes().to_vec();
            start.extend(b"{\"a\":{}}");
            assert_eq!(detect(&start, 1 << 20, "net.onnx"), None, "{low}");
        }
    }
}
