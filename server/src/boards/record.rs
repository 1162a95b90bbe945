//! How records lie in a file: TFRecord, which is the length in eight bytes (the lowest first), its
//! checksum, the content and its checksum in four bytes each. See
//! <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>.

use std::io::{self, ErrorKind, Read, Write};

/// A record that is longer is a picture, a sound or a graph: it is checked and passed over.
const LONGEST: u64 = 16 << 20;

/// Read at once. A length that a file tells takes no memory before as much has been read.
const PIECE: usize = 64 * 1024;

/// The checksum of a record: CRC-32C, turned and shifted, so that a checksum of checksums is none.
fn checksum(bytes: &[u8]) -> u32 {
    mask(crc32c::crc32c(bytes))
}

fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Writes a record.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, content: &[u8]) -> io::Result<()> {
    let length = (content.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&checksum(&length).to_le_bytes())?;
    out.write_all(content)?;
    out.write_all(&checksum(content).to_le_bytes())
}

/// What stands next in a file.
#[derive(Debug, PartialEq)]
pub enum Next<'a> {
    /// A record's content.
    Record(&'a [u8]),
    /// A record too long to hold a scalar.
    Passed,
    /// The file ends within a record: its writer was cut off, or is still at it.
    Torn,
    /// The file ends.
    End,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The checksum of a length is another.
    #[error("is damaged at byte {0}: the length of the record there does not fit its checksum")]
    Length(u64),
    /// The checksum of a content is another.
    #[error("is damaged: the content of the record at byte {0} does not fit its checksum")]
    Content(u64),
    /// The system cannot read it.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads the records of a file, one after the other.
#[derive(Debug)]
pub struct Records<R> {
    input: R,
    /// Where the next record begins.
    at: u64,
    content: Vec<u8>,
}

impl<R: Read> Records<R> {
    /// The records of `input`, from its first byte on.
    pub fn of(input: R) -> Self {
        Self {
            input,
            at: 0,
            content: Vec::new(),
        }
    }

    /// Bytes before the next record.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Reads on. After [`Next::Torn`], [`Next::End`] or an error there is nothing more.
    ///
    /// # Errors
    /// [`Damage`] says where.
    #[expect(
        clippy::should_implement_trait,
        reason = "what it returns lives as long as the next call"
    )]
    pub fn next(&mut self) -> Result<Next<'_>, Damage> {
        let mut head = [0; 12];
        match fill(&mut self.input, &mut head)? {
            0 => return Ok(Next::End),
            12 => {}
            _ => return Ok(Next::Torn),
        }
        let [length @ .., _, _, _, _] = head;
        let [.., a, b, c, d] = head;
        if checksum(&length) != u32::from_le_bytes([a, b, c, d]) {
            return Err(Damage::Length(self.at));
        }
        let length = u64::from_le_bytes(length);
        self.content.clear();
        let (mut left, mut crc) = (length, 0);
        let mut piece = [0; PIECE];
        while left > 0 {
            let wanted = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
            let piece = &mut piece[..wanted];
            if fill(&mut self.input, piece)? < wanted {
                return Ok(Next::Torn);
            }
            crc = crc32c::crc32c_append(crc, piece);
            if length <= LONGEST {
                self.content.extend_from_slice(piece);
            }
            left -= wanted as u64;
        }
        let mut foot = [0; 4];
        if fill(&mut self.input, &mut foot)? < 4 {
            return Ok(Next::Torn);
        }
        if mask(crc) != u32::from_le_bytes(foot) {
            return Err(Damage::Content(self.at));
        }
        self.at += 16 + length;
        Ok(if length <= LONGEST {
            Next::Record(&self.content)
        } else {
            Next::Passed
        })
    }
}

/// Fills the buffer as far as there are bytes; says how far that was.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(contents: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for content in contents {
            write(&mut bytes, content).unwrap();
        }
        bytes
    }

    #[test]
    fn the_first_record_of_every_event_file_is_known_to_the_byte() {
        // Written by TensorFlow: `brain.Event:2` at time 0.
        let event = b"\x09\0\0\0\0\0\0\0\0\x1a\x0dbrain.Event:2";
        let bytes = file(&[event]);
        assert_eq!(bytes[..8], [24, 0, 0, 0, 0, 0, 0, 0]);
        // The checksum of this length is the same in every file there is.
        assert_eq!(bytes[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn what_was_written_is_read_and_the_end_is_the_end() {
        let long = vec![7; 3 * PIECE + 1];
        let bytes = file(&[b"one", b"", &long]);
        let mut records = Records::of(&bytes[..]);
        assert_eq!(records.next().unwrap(), Next::Record(b"one"));
        assert_eq!(records.next().unwrap(), Next::Record(b""));
        assert_eq!(records.next().unwrap(), Next::Record(&long));
        assert_eq!(records.position(), bytes.len() as u64);
        assert_eq!(records.next().unwrap(), Next::End);
    }

    #[test]
    fn wherever_a_file_is_cut_its_whole_records_are_read_and_the_rest_is_torn() {
        let bytes = file(&[b"one", b"two"]);
        let whole = bytes.len() / 2;
        for length in 0..bytes.len() {
            let mut records = Records::of(&bytes[..length]);
            for _ in 0..length / whole {
                assert!(matches!(records.next(), Ok(Next::Record(_))));
            }
            let rest = records.next().unwrap();
            let expected = if length % whole == 0 {
                Next::End
            } else {
                Next::Torn
            };
            assert_eq!(rest, expected, "{length}");
        }
    }

    #[test]
    fn wherever_a_bit_is_wrong_it_is_damage_and_the_place_is_told() {
        let bytes = file(&[b"one", b"two"]);
        let whole = bytes.len() / 2;
        for at in whole..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 4;
            let mut records = Records::of(&wrong[..]);
            assert_eq!(records.next().unwrap(), Next::Record(b"one"));
            match records.next() {
                Err(Damage::Length(place)) if at < whole + 12 => assert_eq!(place, 19),
                Err(Damage::Content(place)) if at >= whole + 12 => assert_eq!(place, 19),
                other => panic!("{at}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_huge_length_takes_no_memory() {
        let length = u64::MAX.to_le_bytes();
        let mut bytes = length.to_vec();
        bytes.extend(checksum(&length).to_le_bytes());
        bytes.extend([0; 100]);
        let mut records = Records::of(&bytes[..]);
        assert_eq!(records.next().unwrap(), Next::Torn);
        assert!(records.content.capacity() <= 2 * PIECE);
    }

    #[test]
    fn a_picture_is_passed_over_and_what_follows_is_read() {
        let bytes = file(&[&vec![1; LONGEST as usize + 1], b"two"]);
        let mut records = Records::of(&bytes[..]);
        assert_eq!(records.next().unwrap(), Next::Passed);
        assert_eq!(records.next().unwrap(), Next::Record(b"two"));
    }
}
