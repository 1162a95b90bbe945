//! Holds a JSON document against the table of fields.

use serde_json::Value;

use super::{FieldError, RunSpec};

/// Checks a document and fills in its defaults.
///
/// # Errors
/// Every fault of the document at once.
pub fn check(json: &Value) -> std::result::Result<RunSpec, Vec<FieldError>> {
    let _ = json;
    todo!()
}
