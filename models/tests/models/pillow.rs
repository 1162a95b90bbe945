//! Photos become the same pixels as in Pillow: `golden/jpegs.py` wrote the files and what Pillow makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use vivarium_models::data::decode_image;

#[test]
fn jpegs_are_decoded_to_the_pixels_of_libjpeg() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/jpegs");
    let expected = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, (usize, usize, String)> =
        serde_json::from_str(&expected).unwrap();
    assert!(expected.len() > 20);
    let differs = expected
        .into_iter()
        .filter(|(name, (width, height, digest))| {
            let bytes = fs::read(folder.join(name)).unwrap();
            let picture = decode_image(&bytes, 1 << 20).unwrap();
            assert_eq!([picture.width, picture.height], [*width, *height], "{name}");
            hex::encode(Sha256::digest(&picture.rgb)) != *digest
        });
    let differs: Vec<_> = differs.map(|(name, _)| name).collect();
    assert!(differs.is_empty(), "{differs:?}");
}
