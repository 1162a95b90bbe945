// The orientation that EXIF gives a WebP file.

/** The tag of the orientation in EXIF. */
const ORIENTATION = 0x0112;

/**
 * The orientation of a WebP file, from 1 to 8; `null` for other files.
 * @param {Blob} file
 * @returns {Promise<number | null>}
 */
export async function webpOrientation(file) {
  const start = await file.slice(0, 12).arrayBuffer();
  if (start.byteLength < 12 || word(start, 0) !== "RIFF" || word(start, 8) !== "WEBP") return null;
  return orientationOf(await file.arrayBuffer());
}

/** @param {ArrayBuffer} webp */
export function orientationOf(webp) {
  const view = new DataView(webp);
  for (let at = 12; at + 8 <= webp.byteLength; ) {
    const length = view.getUint32(at + 4, true);
    if (word(webp, at) === "EXIF") {
      const exif = webp.slice(at + 8, at + 8 + length);
      // Some programs write the header of JPEG's EXIF before it.
      return orientationInExif(word(exif, 0) === "Exif" ? exif.slice(6) : exif);
    }
    at += 8 + length + (length % 2);
  }
  return 1;
}

/** @param {ArrayBuffer} tiff the first directory of a TIFF file */
function orientationInExif(tiff) {
  const view = new DataView(tiff);
  try {
    const little = word(tiff, 0).startsWith("II");
    const directory = view.getUint32(4, little);
    const entries = view.getUint16(directory, little);
    for (let entry = 0; entry < entries; entry += 1) {
      const at = directory + 2 + 12 * entry;
      if (view.getUint16(at, little) !== ORIENTATION) continue;
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch {
    // What ends too early has no orientation.
  }
  return 1;
}

/** Four bytes as text. @param {ArrayBuffer} bytes @param {number} at */
function word(bytes, at) {
  return String.fromCharCode(...new Uint8Array(bytes.slice(at, at + 4)));
}
