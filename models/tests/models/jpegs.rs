//! JPEGs in practice: bytes outside segments are skipped, and truncated files are detected, whatever follows.

use std::fs;
use std::path::Path;

use vivarium_models::data::decode_image;

fn golden(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/photos")
            .join(name),
    )
    .unwrap()
}

/// The files and their kinds: baseline, progressive, one channel.
const WHOLE: [&str; 4] = ["rgb.jpg", "progressive.jpg", "grey.jpg", "turned-6.jpg"];

/// The positions before each marker outside the scan data.
fn segments(bytes: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 2;
    while bytes[at + 1] != 0xda {
        places.push(at);
        at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
    places.push(at);
    places
}

fn pixels(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let image = decode_image(bytes, 1 << 20)?;
    image.png().map_err(|e| e.to_string())
}

#[test]
fn bytes_between_segments_are_skipped() {
    for name in WHOLE {
        let whole = golden(name);
        let right = pixels(&whole).unwrap();
        for at in segments(&whole) {
            for junk in [
                &[0; 7][..],
                &[0xff; 5],
                b"junk",
                &[0, 0xff, 0, 1],
                &[0x55; 300],
            ] {
                // The first marker identifies a JPEG.
                if at == 2 && junk[0] != 0xff {
                    continue;
                }
                let with = [&whole[..at], junk, &whole[at..]].concat();
                assert_eq!(
                    pixels(&with).as_ref(),
                    Ok(&right),
                    "{name} at {at}: {junk:?}"
                );
            }
        }
    }
}

#[test]
fn a_picture_that_ends_early_is_told_whatever_follows() {
    for name in WHOLE {
        let whole = golden(name);
        let start = *segments(&whole).last().unwrap() + 12;
        let end = whole.len() - 2;
        for share in 1..8 {
            let at = start + (end - start) * share / 8;
            let cut = &whole[..at];
            for (follows, what) in [
                (vec![], "nothing"),
                (vec![0xff, 0xd9], "the end's marker"),
                (vec![0; 2000], "zeros"),
                (
                    [vec![0; 2000], vec![0xff, 0xd9]].concat(),
                    "zeros and the end's marker",
                ),
            ] {
                let told = pixels(&[cut, &follows].concat());
                assert!(told.is_err(), "{name}, {share}/8, then {what}");
            }
        }
        assert!(
            pixels(&whole[..end]).unwrap_err().contains("is cut off"),
            "{name} without the end's marker"
        );
        // Bytes after the end are ignored.
        assert_eq!(
            pixels(&[&whole[..], b"and more"].concat()),
            pixels(&whole),
            "{name}"
        );
    }
}
