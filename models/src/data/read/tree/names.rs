//! Decodes the names of an archive. Few archives declare an encoding, and one name is too short to detect it, so all
//! names are decoded together. Paths are split only afterwards, because in Shift-JIS and GBK the second byte of a
//! character may be a backslash.

use std::collections::BTreeMap;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GBK, IBM866, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252,
};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// An undecoded name from an archive or a folder.
pub(super) struct RawName {
    bytes: Vec<u8>,
    /// Whether the archive declares it as UTF-8.
    says_utf8: bool,
    /// The Unicode name, if the archive has one.
    beside: Option<String>,
}

impl RawName {
    /// A name without a declared encoding.
    pub(super) fn of_unknown(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            says_utf8: false,
            beside: None,
        }
    }

    /// A name from the directory of a zip, with its extra fields. Info-ZIP's field 0x7075 has the name as UTF-8, and is
    /// valid if its checksum matches the name.
    pub(super) fn in_zip(bytes: Vec<u8>, says_utf8: bool, mut extra: &[u8]) -> Self {
        let mut beside = None;
        while let [a, b, c, d, rest @ ..] = extra {
            let (field, length) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
            let Some((content, rest)) = rest.split_at_checked(length.into()) else {
                break;
            };
            if field == 0x7075
                && let [1, e, f, g, h, name @ ..] = content
            {
                let mut crc = flate2::Crc::new();
                crc.update(&bytes);
                if crc.sum() == u32::from_le_bytes([*e, *f, *g, *h]) {
                    beside = String::from_utf8(name.to_vec()).ok();
                }
            }
            extra = rest;
        }
        Self {
            bytes,
            says_utf8,
            beside,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A lossy decoding, without knowledge of other names.
    pub(super) fn in_words(&self) -> String {
        self.beside
            .clone()
            .unwrap_or_else(|| String::from_utf8_lossy(&self.bytes).into_owned())
    }

    /// The text, if it is certain.
    fn sure(&self) -> Option<&str> {
        if let Some(beside) = &self.beside {
            return Some(beside);
        }
        let text = str::from_utf8(&self.bytes).ok()?;
        (self.says_utf8 || text.is_ascii()).then_some(text)
    }
}

/// All names of a tree, in their order.
pub(super) struct Decoded {
    pub(super) names: Vec<String>,
    /// A note on the encoding, if it was guessed.
    pub(super) note: Option<String>,
    /// Faults for different names that decode to the same text.
    pub(super) merged: Vec<(String, String)>,
}

pub(super) fn decode(names: &[RawName]) -> Decoded {
    let unsure: Vec<_> = names
        .iter()
        .filter(|name| name.sure().is_none())
        .map(|name| &name.bytes[..])
        .collect();
    let is_utf8 = unsure.iter().all(|bytes| str::from_utf8(bytes).is_ok());
    let charset = if is_utf8 { None } else { Some(guess(&unsure)) };
    let read = |name: &RawName| match (name.sure(), charset) {
        (Some(text), _) => text.to_owned(),
        (None, Some(charset)) => charset
            .decode(&name.bytes)
            .unwrap_or_else(|| cp437(&name.bytes)),
        (None, None) => String::from_utf8_lossy(&name.bytes).into_owned(),
    };
    Decoded {
        names: names.iter().map(read).collect(),
        note: charset.map(|charset| {
            let first = unsure.first().and_then(|bytes| charset.decode(bytes)).unwrap_or_default();
            format!(
                "The names are not in UTF-8; they were read as {}, such as {}. If they look wrong, pack the folder again.",
                charset.name(),
                first.chars().filter(|c| !c.is_control()).take(60).collect::<String>()
            )
        }),
        merged: charset.map_or(Vec::new(), |charset| merged(&unsure, charset)),
    }
}

/// Components of names with different bytes that decode to the same text. A slash is never a second byte, so names can
/// be split there before decoding.
fn merged(names: &[&[u8]], charset: Charset) -> Vec<(String, String)> {
    let mut of_text: BTreeMap<String, &[u8]> = BTreeMap::new();
    let mut merged = Vec::new();
    for part in names
        .iter()
        .flat_map(|name| name.split(|byte| *byte == b'/'))
    {
        let Some(text) = charset.decode(part) else {
            continue;
        };
        match of_text.get(&text) {
            Some(other) if *other != part => {
                let what = format!(
                    "stands for two names, of the bytes {} and {}, which {} does not tell apart; rename one of them",
                    other.escape_ascii(),
                    part.escape_ascii(),
                    charset.name()
                );
                if !merged.iter().any(|(name, _)| *name == text) {
                    merged.push((text, what));
                }
            }
            Some(_) => {}
            None => {
                of_text.insert(text, part);
            }
        }
    }
    merged
}

/// An encoding.
#[derive(Clone, Copy, PartialEq)]
enum Charset {
    /// CP437, the default of zip.
    Cp437,
    Other(&'static Encoding),
}

impl Charset {
    fn name(self) -> &'static str {
        match self {
            Self::Cp437 => "CP437",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// The decoded text; `None` if the bytes are invalid in this encoding.
    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Cp437 => Some(cp437(bytes)),
            Self::Other(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(String::from),
        }
    }
}

/// The encoding in which all names are valid and most plausible. The detector is made for longer web pages and does not
/// know CP437, so it only decides between equally plausible ones.
fn guess(names: &[&[u8]]) -> Charset {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for name in names {
        detector.feed(name, false);
        detector.feed(b"\n", false);
    }
    detector.feed(b"", true);
    let detected = Charset::Other(detector.guess(None, Utf8Detection::Deny));
    let others = [
        SHIFT_JIS,
        GBK,
        EUC_KR,
        BIG5,
        EUC_JP,
        WINDOWS_1252,
        IBM866,
        WINDOWS_1251,
    ];
    let mut candidates = vec![detected, Charset::Cp437];
    candidates.extend(others.map(Charset::Other));
    let mut best = (Charset::Cp437, f64::NEG_INFINITY);
    for charset in candidates {
        let texts: Option<Vec<_>> = names.iter().map(|name| charset.decode(name)).collect();
        let Some(texts) = texts else {
            continue;
        };
        let mut likely: f64 = texts.iter().map(|text| likeliness(text)).sum();
        if charset == detected {
            let bytes = names
                .iter()
                .flat_map(|name| name.iter())
                .filter(|byte| !byte.is_ascii())
                .count();
            likely += 0.35 * bytes as f64;
        }
        if likely > best.1 {
            best = (charset, likely);
        }
    }
    best.0
}

/// The plausibility of a text: a letter counts as many points as it has bytes.
fn likeliness(text: &str) -> f64 {
    let letters: Vec<char> = text.chars().collect();
    let mut sum = 0.0;
    for (at, c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let beside = [before, letters.get(at + 1)];
        let is_beside = |kind: fn(&char) -> bool| beside.iter().flatten().any(|c| kind(c));
        let is_latin = |c: &char| c.is_ascii_alphabetic() || matches!(c, 'À'..='ɏ');
        // An East Asian character within a Latin word.
        let is_within = is_beside(|c| c.is_ascii_lowercase())
            || beside
                .iter()
                .all(|c| c.is_some_and(char::is_ascii_alphabetic));
        sum += match *c {
            '\0'..='\x7f' => 0.0,
            '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fffd}' => -5.0,
            'ª' | 'º' => -1.0,
            'À'..='ɏ' if *c != '×' && *c != '÷' => {
                // A capital inside a lower-case word.
                let wrong = c.is_uppercase() && before.is_some_and(|c| c.is_lowercase());
                // Few words have two of these in a row.
                let pair = beside.iter().flatten().any(|c| matches!(c, 'À'..='ɏ'));
                if wrong {
                    -2.0
                } else if pair {
                    0.4
                } else {
                    1.0
                }
            }
            'Ѐ'..='ӿ' | 'Ͱ'..='Ͽ' => {
                let wrong = is_beside(is_latin)
                    || c.is_uppercase() && before.is_some_and(|c| c.is_lowercase());
                if wrong { -2.0 } else { 0.9 }
            }
            'ぁ'..='ヿ' | '一'..='鿿' | '가'..='힣' if is_within => -1.0,
            'ぁ'..='ヿ' => 2.0,
            // A Korean word has several syllables; a Chinese word may be a single character.
            '가'..='힣' if !is_beside(|c| matches!(c, '가'..='힣')) => 0.8,
            '一'..='鿿' | '가'..='힣' => 1.8,
            '｡'..='ﾟ' => -0.5,
            _ => -2.0,
        };
    }
    sum
}

/// The upper half of CP437.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

fn cp437(bytes: &[u8]) -> String {
    let upper: Vec<char> = UPPER.chars().collect();
    let letter = |byte: &u8| match byte {
        0..=0x7f => char::from(*byte),
        byte => upper
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or('\u{fffd}'),
    };
    bytes.iter().map(letter).collect()
}

/// Unicode NFC: macOS writes accents separately, other systems do not.
pub(super) fn compose(part: &mut String) {
    if !is_nfc(part) {
        *part = part.nfc().collect();
    }
}

/// The components of a name, or why it is refused.
pub(super) fn parts(name: &str) -> Result<Vec<String>, &'static str> {
    // The name of a folder's icon on a Mac.
    let name = name.strip_suffix("Icon\r").unwrap_or(name);
    if name.chars().any(char::is_control) {
        return Err("has a name with control characters");
    }
    if name.len() > 4096 {
        return Err("has a name that is too long");
    }
    let has_drive =
        name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if name.starts_with(['/', '\\']) || has_drive {
        return Err("has an absolute path");
    }
    let mut parts = Vec::new();
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => return Err("has a path that leads out of the archive"),
            part => parts.push(part.to_owned()),
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "../a",
            "a/../../b",
            "..",
            "/etc/passwd",
            "\\a",
            "C:\\a",
            "c:/a",
            "a\\..\\b",
            "a\0b",
            "a\nb",
        ] {
            assert!(parts(name).is_err(), "{name:?}");
        }
        assert_eq!(parts("a/./b//c.png").unwrap(), ["a", "b", "c.png"]);
        assert_eq!(parts("a\\b.png").unwrap(), ["a", "b.png"]);
        assert_eq!(parts("a..b/..c").unwrap(), ["a..b", "..c"]);
    }

    fn decoded(names: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let raw: Vec<_> = names
            .iter()
            .map(|name| RawName::of_unknown(name.to_vec()))
            .collect();
        let Decoded {
            names,
            note,
            merged,
        } = decode(&raw);
        assert!(merged.is_empty(), "{merged:?}");
        (names, note)
    }

    /// Names of two or more classes, as different systems write them, with a file in each.
    #[test]
    fn names_in_old_encodings_are_read_as_what_they_are() {
        let of = |encoding: &'static Encoding, names: &[&str]| {
            for name in names {
                let (bytes, _, lossy) = encoding.encode(name);
                assert!(!lossy, "{name}");
                assert_eq!(encoding.decode_without_bom_handling(&bytes).0, *name);
            }
            let files: Vec<Vec<u8>> = names
                .iter()
                .flat_map(|name| {
                    (0..4).map(move |i| {
                        [&encoding.encode(name).0[..], format!("/{i}.png").as_bytes()].concat()
                    })
                })
                .collect();
            let (found, note) = decoded(&files.iter().map(|file| &file[..]).collect::<Vec<_>>());
            for (i, name) in names.iter().enumerate() {
                assert_eq!(
                    found[4 * i],
                    format!("{name}/0.png"),
                    "{}: {note:?}",
                    encoding.name()
                );
            }
        };
        of(SHIFT_JIS, &["犬", "猫"]);
        // Second bytes that are a backslash.
        of(SHIFT_JIS, &["表", "ソファ", "予定"]);
        of(SHIFT_JIS, &["りんご", "バナナ"]);
        of(GBK, &["猫", "狗"]);
        of(GBK, &["苹果", "香蕉", "橙子"]);
        of(BIG5, &["蘋果", "香蕉", "橘子"]);
        of(EUC_KR, &["고양이", "강아지"]);
        of(IBM866, &["кошки", "собаки"]);
        of(WINDOWS_1251, &["кошки", "собаки"]);
        of(WINDOWS_1252, &["café", "thé", "crème brûlée"]);
        of(WINDOWS_1252, &["Mädchen", "Jungen"]);
    }

    #[test]
    fn names_of_dos_are_read_by_its_code_page() {
        let dos = |text: &str| -> Vec<u8> {
            let place = |c: char| UPPER.chars().position(|of| of == c);
            text.chars()
                .map(|c| {
                    if c.is_ascii() {
                        c as u8
                    } else {
                        0x80 + place(c).unwrap() as u8
                    }
                })
                .collect()
        };
        for names in [
            &["café", "thé"][..],
            &["Käse", "Brötchen", "Müsli"],
            &["élève", "maître"],
            &["niño", "niña"],
        ] {
            let bytes: Vec<_> = names
                .iter()
                .map(|name| dos(&format!("{name}/1.png")))
                .collect();
            let (found, note) = decoded(&bytes.iter().map(|name| &name[..]).collect::<Vec<_>>());
            let expected: Vec<_> = names.iter().map(|name| format!("{name}/1.png")).collect();
            assert_eq!(found, expected);
            assert!(note.unwrap().contains("CP437"));
        }
    }

    #[test]
    fn utf8_is_taken_without_a_word_and_what_stands_beside_a_name_holds() {
        assert_eq!(
            decoded(&["café".as_bytes(), b"tea"]),
            (vec!["café".to_owned(), "tea".to_owned()], None)
        );
        let mut crc = flate2::Crc::new();
        crc.update(b"caf?");
        let mut extra = vec![0x75, 0x70, 10, 0, 1];
        extra.extend(crc.sum().to_le_bytes());
        extra.extend("café".as_bytes());
        assert_eq!(
            RawName::in_zip(b"caf?".to_vec(), false, &extra).sure(),
            Some("café")
        );
        // It was made for another name.
        assert_eq!(
            RawName::in_zip(b"tea".to_vec(), false, &extra).sure(),
            Some("tea")
        );
        // What says that it is UTF-8, and is not, is read as the others are.
        let wrong = RawName {
            bytes: b"caf\x82/1.png".to_vec(),
            says_utf8: true,
            beside: None,
        };
        assert_eq!(decode(&[wrong]).names, ["café/1.png"]);
    }

    #[test]
    fn two_names_never_become_one() {
        // Two codes of one letter in Shift-JIS.
        let names: [&[u8]; 4] = [
            b"\x81\xca\x94\x4c/1",
            b"\xee\xf9\x94\x4c/1",
            b"\x8c\xa2\x94\x4c/1",
            b"\x83\x4c\x83\x8a\x83\x93/1",
        ];
        let merged = merged(&names, Charset::Other(SHIFT_JIS));
        assert!(merged[0].1.contains("two names"), "{merged:?}");
        let bytes: Vec<u8> = (0x80..=0xff).collect();
        let distinct: std::collections::BTreeSet<char> = cp437(&bytes).chars().collect();
        assert_eq!(distinct.len(), 128);
    }
}
