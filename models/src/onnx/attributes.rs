//! The attributes of a node.

use super::proto::{AttributeProto, NodeProto, TensorProto};
use super::{ImportError, Outcome};

/// A node, as messages and attributes are read of it.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    pub(super) node: &'a NodeProto,
}

/// The most numbers of an attribute that is read.
const MAX_NUMBERS: usize = 64;

impl<'a> Attributes<'a> {
    /// A message about the node.
    pub(super) fn fault(&self, message: impl std::fmt::Display) -> ImportError {
        ImportError::new(format!("{}: {message}", self.shown()))
    }

    /// The node in messages: its operation, and its name or that of its result.
    pub(super) fn shown(&self) -> String {
        let name = match &*self.node.name {
            "" => self.node.output.first().map_or("", String::as_str),
            name => name,
        };
        let shorten = |text: &str| text.chars().take(100).collect::<String>();
        format!("node {} ({})", shorten(name), shorten(&self.node.op_type))
    }

    fn find(&self, name: &str) -> Option<&'a AttributeProto> {
        self.node
            .attribute
            .iter()
            .find(|attribute| attribute.name == name)
    }

    fn wrong(&self, name: &str, kind: &str) -> ImportError {
        self.fault(format!("the attribute {name} must be {kind}"))
    }

    /// A whole number.
    pub(super) fn int(&self, name: &str, default: i64) -> Outcome<i64> {
        match self.find(name) {
            None => Ok(default),
            Some(AttributeProto { i: Some(value), .. }) => Ok(*value),
            // A zero may be left out of the file.
            Some(attribute) if attribute.r#type == super::proto::kind::INT => Ok(0),
            Some(_) => Err(self.wrong(name, "a whole number")),
        }
    }

    /// A number.
    pub(super) fn float(&self, name: &str, default: f32) -> Outcome<f32> {
        match self.find(name) {
            None => Ok(default),
            Some(AttributeProto { f: Some(value), .. }) => Ok(*value),
            Some(attribute) if attribute.r#type == super::proto::kind::FLOAT => Ok(0.0),
            Some(_) => Err(self.wrong(name, "a number")),
        }
    }

    /// Whole numbers; `None` without the attribute.
    pub(super) fn ints(&self, name: &str) -> Outcome<Option<&'a [i64]>> {
        match self.find(name) {
            None => Ok(None),
            Some(attribute) if attribute.ints.len() > MAX_NUMBERS => {
                Err(self.fault(format!("the attribute {name} has too many numbers")))
            }
            Some(attribute) => Ok(Some(&attribute.ints)),
        }
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Outcome<Option<&'a str>> {
        match self.find(name) {
            None => Ok(None),
            Some(AttributeProto { s: Some(value), .. }) => match std::str::from_utf8(value) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.wrong(name, "a text")),
            },
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    /// A tensor.
    pub(super) fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.find(name).and_then(|attribute| attribute.t.as_ref())
    }

    /// The numbers of an attribute of any kind, for a constant: whole ones or others.
    pub(super) fn numbers(&self, name: &str) -> Option<&'a AttributeProto> {
        self.find(name)
    }

    /// Two whole numbers, for height and width.
    pub(super) fn pair(
        &self,
        name: &str,
        least: usize,
        default: [usize; 2],
    ) -> Outcome<[usize; 2]> {
        match self.ints(name)? {
            None | Some([]) => Ok(default),
            Some([height, width]) => Ok([
                self.size(name, *height, least)?,
                self.size(name, *width, least)?,
            ]),
            Some(others) => Err(self.fault(format!(
                "{name} has {} numbers where images take 2",
                others.len()
            ))),
        }
    }

    /// A whole number as a size.
    pub(super) fn size(&self, name: &str, value: i64, least: usize) -> Outcome<usize> {
        const MOST: usize = 1 << 20;
        match usize::try_from(value) {
            Ok(value) if (least..=MOST).contains(&value) => Ok(value),
            _ => Err(self.fault(format!("{name} must be {least} to {MOST}, not {value}"))),
        }
    }
}
