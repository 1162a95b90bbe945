//! Bounds what a file takes before it is decoded. A node of two bytes becomes a structure of two hundred, and a number of
//! one byte one of eight, so the size of a file says little about the memory that it needs.
//!
//! The file is walked as [protobuf's encoding](https://protobuf.dev/programming-guides/encoding/) without being decoded.

use super::{ImportError, Outcome};

/// The most bytes that everything but the values of tensors may take.
const MAX_MEMORY: usize = 64 << 20;

/// What a message takes beside its texts and lists.
const MESSAGE: usize = 256;

/// What a text takes beside its characters.
const TEXT: usize = 24;

/// What is in a field.
enum Field {
    /// Another message, with its fields.
    Message(fn(u64) -> Field),
    /// A text, or bytes that are copied.
    Text,
    /// Values of a tensor, which take in memory what they take in the file.
    Values,
    /// Whole numbers, packed or one by one.
    Numbers,
    /// What is not read.
    Other,
}

fn model(field: u64) -> Field {
    match field {
        2 | 3 | 6 => Field::Text,
        7 => Field::Message(graph),
        8 | 14 => Field::Message(texts),
        _ => Field::Other,
    }
}

/// Messages of texts alone.
fn texts(field: u64) -> Field {
    match field {
        1 | 2 => Field::Text,
        _ => Field::Other,
    }
}

fn graph(field: u64) -> Field {
    match field {
        1 => Field::Message(node),
        2 => Field::Text,
        5 => Field::Message(tensor),
        11 | 12 => Field::Message(value),
        _ => Field::Other,
    }
}

fn node(field: u64) -> Field {
    match field {
        1..=4 | 7 => Field::Text,
        5 => Field::Message(attribute),
        9 => Field::Message(texts),
        _ => Field::Other,
    }
}

fn attribute(field: u64) -> Field {
    match field {
        1 | 4 => Field::Text,
        5 => Field::Message(tensor),
        7 | 8 => Field::Numbers,
        _ => Field::Other,
    }
}

fn tensor(field: u64) -> Field {
    match field {
        1 | 5 | 7 => Field::Numbers,
        4 | 9 => Field::Values,
        8 => Field::Text,
        13 => Field::Message(texts),
        _ => Field::Other,
    }
}

/// A value's name and type: messages within messages, none of them long.
fn value(field: u64) -> Field {
    match field {
        1 => Field::Text,
        2 => Field::Message(value_type),
        _ => Field::Other,
    }
}

fn value_type(field: u64) -> Field {
    match field {
        1 => Field::Message(tensor_type),
        _ => Field::Other,
    }
}

fn tensor_type(field: u64) -> Field {
    match field {
        2 => Field::Message(shape),
        _ => Field::Other,
    }
}

fn shape(field: u64) -> Field {
    match field {
        1 => Field::Message(dimension),
        _ => Field::Other,
    }
}

fn dimension(field: u64) -> Field {
    match field {
        2 => Field::Text,
        _ => Field::Other,
    }
}

/// Fails for a file that is torn, or that would take more memory than a network needs.
pub(super) fn check(bytes: &[u8]) -> Outcome<()> {
    let mut left = MAX_MEMORY;
    walk(bytes, model, &mut left)
}

fn walk(mut bytes: &[u8], fields: fn(u64) -> Field, left: &mut usize) -> Outcome<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let field = fields(key >> 3);
        match key & 7 {
            0 => {
                varint(&mut bytes)?;
                take(left, matches!(field, Field::Numbers), 8)?;
            }
            1 => drop(split(&mut bytes, 8)?),
            2 => {
                let len = varint(&mut bytes)?;
                let content = split(&mut bytes, len)?;
                match field {
                    Field::Message(fields) => {
                        take(left, true, MESSAGE)?;
                        walk(content, fields, left)?;
                    }
                    Field::Text => take(left, true, TEXT + content.len())?,
                    Field::Numbers => take(left, true, 8usize.saturating_mul(content.len()))?,
                    Field::Values | Field::Other => {}
                }
            }
            // A float by itself; one by one they take twice as much, with the room of a list that grows.
            5 => {
                split(&mut bytes, 4)?;
                take(left, matches!(field, Field::Numbers), 8)?;
            }
            _ => return Err(torn()),
        }
    }
    Ok(())
}

fn take(left: &mut usize, counts: bool, bytes: usize) -> Outcome<()> {
    if !counts {
        return Ok(());
    }
    match left.checked_sub(bytes) {
        Some(rest) => *left = rest,
        None => {
            return Err(ImportError::new(
                "the file has more nodes, names or numbers in lists than any network needs",
            ));
        }
    }
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Outcome<u64> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let Some((first, rest)) = bytes.split_first() else {
            return Err(torn());
        };
        *bytes = rest;
        if shift < 64 {
            value |= u64::from(first & 0x7f) << shift;
        }
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(torn())
}

fn split<'a>(bytes: &mut &'a [u8], len: u64) -> Outcome<&'a [u8]> {
    let len = usize::try_from(len).map_err(|_| torn())?;
    let (content, rest) = bytes.split_at_checked(len).ok_or_else(torn)?;
    *bytes = rest;
    Ok(content)
}

fn torn() -> ImportError {
    ImportError::new("the file is not an ONNX model, or it is cut off")
}
