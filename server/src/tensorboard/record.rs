//! The framing of records: TFRecord, which is a length of eight bytes (little-endian), its checksum, the content and
//! its checksum, of four bytes each. See
//! <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

/// A longer record is a picture, an audio clip or a graph: its checksum is checked, and it is skipped.
const LONGEST: u64 = 16 << 20;

/// Bytes read at once. A length in a file takes no memory before as much has been read.
const PIECE: usize = 64 * 1024;

/// Bytes before the content of a record.
const HEAD: usize = 12;

/// False heads of records that are tried before a damaged file is given up.
const MOST_FALSE: usize = 100;

/// The masked CRC-32C of TFRecord, so that a checksum of checksums is not trivial.
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

/// The next item of a file.
#[derive(Debug, PartialEq)]
pub enum Next<'a> {
    /// The content of a record.
    Record(&'a [u8]),
    /// A record too long for a scalar.
    Passed,
    /// The file ends within a record: its writer was interrupted, or is still writing.
    Torn,
    /// The file ends.
    End,
}

/// Why reading a file cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The checksum of a length does not match.
    #[error("is damaged at byte {0}: the length of the record there does not fit its checksum")]
    Length(u64),
    /// The checksum of a content does not match.
    #[error("is damaged: the content of the record at byte {0} does not fit its checksum")]
    Content(u64),
    /// The system cannot read the file.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads the records of a file in order.
#[derive(Debug)]
pub struct Records<R> {
    input: R,
    /// The offset of the next record.
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

    /// The offset of the next record.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Reads the next item. After [`Next::Torn`] or damage, [`resume`](Records::resume) finds what follows.
    ///
    /// # Errors
    /// [`Damage`] has the offset.
    #[expect(
        clippy::should_implement_trait,
        reason = "what it returns lives as long as the next call"
    )]
    pub fn next(&mut self) -> Result<Next<'_>, Damage> {
        let mut head = [0; HEAD];
        match fill(&mut self.input, &mut head)? {
            0 => return Ok(Next::End),
            HEAD => {}
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

/// What follows damage.
#[derive(Debug, PartialEq)]
pub enum After {
    /// The next complete record, at this offset; [`Records::next`] returns it.
    Record(u64),
    /// Only zeros up to the end of the file, from this offset: the data never reached the disk.
    Zeros(u64),
    /// No record up to the end of the file, from this offset.
    Nothing(u64),
}

impl<R: Read + Seek> Records<R> {
    /// Finds the next complete record after a damaged or torn one. A length with a matching checksum is tried first:
    /// then only the content is damaged, and the next record follows it.
    ///
    /// # Errors
    /// Those of the input.
    pub fn resume(&mut self) -> io::Result<After> {
        let end = self.input.seek(SeekFrom::End(0))?;
        let damaged = self.at;
        if let Some(length) = self.length_at(damaged)?
            && let Some(next) = length.checked_add(damaged + HEAD as u64 + 4)
            && next < end
            && self.is_record(next)?
        {
            self.go_to(next)?;
            return Ok(After::Record(next));
        }
        let mut wrong = 0;
        let mut from = damaged + 1;
        let mut window = vec![0; PIECE];
        self.input.seek(SeekFrom::Start(damaged))?;
        let filled = fill(&mut self.input, &mut window)?;
        let mut only_zeros = window[..filled].iter().all(|&byte| byte == 0);
        while from + HEAD as u64 <= end && wrong < MOST_FALSE {
            self.input.seek(SeekFrom::Start(from))?;
            let filled = fill(&mut self.input, &mut window)?;
            if filled < HEAD {
                break;
            }
            only_zeros &= window[..filled].iter().all(|&byte| byte == 0);
            for (offset, head) in window[..filled].windows(HEAD).enumerate() {
                let is_head = length_of(head).is_some_and(|length| length <= LONGEST);
                if !is_head {
                    continue;
                }
                let at = from + offset as u64;
                if self.is_record(at)? {
                    self.go_to(at)?;
                    return Ok(After::Record(at));
                }
                wrong += 1;
                if wrong == MOST_FALSE {
                    break;
                }
            }
            // A head that spans two windows is seen in the second one.
            from += (filled - HEAD + 1) as u64;
        }
        self.go_to(end)?;
        Ok(if only_zeros {
            After::Zeros(end)
        } else {
            After::Nothing(end)
        })
    }

    fn go_to(&mut self, at: u64) -> io::Result<()> {
        self.at = at;
        self.input.seek(SeekFrom::Start(at)).map(drop)
    }

    /// The length of a record at `at`, if its checksum matches.
    fn length_at(&mut self, at: u64) -> io::Result<Option<u64>> {
        self.input.seek(SeekFrom::Start(at))?;
        let mut head = [0; HEAD];
        let whole = fill(&mut self.input, &mut head)? == HEAD;
        Ok(length_of(&head).filter(|_| whole))
    }

    /// Whether a complete record with both checksums begins at `at`.
    fn is_record(&mut self, at: u64) -> io::Result<bool> {
        self.go_to(at)?;
        match self.next() {
            Ok(Next::Record(_) | Next::Passed) => Ok(true),
            Err(Damage::Io(error)) => Err(error),
            Ok(Next::Torn | Next::End) | Err(_) => Ok(false),
        }
    }
}

/// The length in the first bytes of a record, if its checksum matches.
fn length_of(head: &[u8]) -> Option<u64> {
    let (length, rest) = head.split_first_chunk::<8>()?;
    let (sum, _) = rest.split_first_chunk::<4>()?;
    // The upper half rules out most bytes that are not a length, without computing a checksum.
    let is_one = length[5..] == [0; 3] && *length != [0; 8];
    (is_one && checksum(length) == u32::from_le_bytes(*sum)).then(|| u64::from_le_bytes(*length))
}

/// Fills the buffer as far as possible; returns how far.
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
        // The checksum of this length is the same in all files.
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

    /// The readable records of a damaged file.
    fn salvaged(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut records = Records::of(io::Cursor::new(bytes));
        let mut found = Vec::new();
        loop {
            match records.next() {
                Ok(Next::Record(content)) => found.push(content.to_vec()),
                Ok(Next::Passed) => {}
                Ok(Next::End) => return found,
                Ok(Next::Torn) | Err(_) => {
                    records.resume().unwrap();
                }
            }
        }
    }

    #[test]
    fn wherever_a_bit_is_wrong_the_other_records_are_read() {
        let bytes = file(&[b"one", b"two", b"three", b"four"]);
        let starts = [0, 19, 38, 59, bytes.len()];
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 16;
            let hit = starts.iter().rposition(|&start| start <= at).unwrap();
            let mut expected = vec![&b"one"[..], b"two", b"three", b"four"];
            expected.remove(hit);
            assert_eq!(salvaged(&wrong), expected, "{at}");
        }
    }

    #[test]
    fn what_follows_a_cut_or_a_hole_is_found_again() {
        let whole = file(&[b"one", b"two"]);
        let more = file(&[b"three"]);
        for cut in 1..19 {
            // Continued after a record that was cut off.
            let bytes = [&whole[..19 + cut], &more[..]].concat();
            assert_eq!(salvaged(&bytes), [&b"one"[..], b"three"], "{cut}");
            // A page of the file that never reached the disk.
            let hole = vec![0; 3 * PIECE + cut];
            let bytes = [&whole[..], &hole, &more].concat();
            assert_eq!(salvaged(&bytes), [&b"one"[..], b"two", b"three"], "{cut}");
        }
    }

    #[test]
    fn a_tail_of_zeros_is_told_from_other_rubbish() {
        let whole = file(&[b"one"]);
        for (tail, expected) in [
            (vec![0; 5000], After::Zeros(5019)),
            (vec![7; 5000], After::Nothing(5019)),
            (vec![0; 5], After::Zeros(24)),
            (vec![0, 0, 0, 7, 0], After::Nothing(24)),
        ] {
            let bytes = [&whole[..], &tail].concat();
            let mut records = Records::of(io::Cursor::new(bytes));
            assert_eq!(records.next().unwrap(), Next::Record(b"one"));
            assert!(!matches!(records.next(), Ok(Next::Record(_) | Next::End)));
            assert_eq!(records.resume().unwrap(), expected);
            assert_eq!(records.next().unwrap(), Next::End);
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
