//! Settings by their path: `--set training.epochs=3`, and the axes of a sweep's grid.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Applies the settings to `json`, creating objects where needed. A value is parsed as JSON if possible, else taken as
/// text.
pub(crate) fn apply(json: &mut Value, settings: &[String]) -> Result<()> {
    for setting in settings {
        let (path, value) = setting.split_once('=').ok_or_else(|| {
            Error::Usage(format!(
                "--set {setting}: must be PATH=VALUE, such as training.epochs=3"
            ))
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        set_at(json, path, value);
    }
    Ok(())
}

/// Sets the value at a dotted path. Anything in the way that is not an object is replaced.
pub(crate) fn set_at(json: &mut Value, path: &str, value: Value) {
    let mut at = json;
    for part in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(fields) = at else { return };
        at = fields.entry(part).or_insert(Value::Null);
    }
    *at = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_go_where_their_paths_lead() {
        let mut json = json!({"training": {"epochs": 1}});
        let settings = [
            "training.epochs=3",
            "network.hidden=[8,4]",
            "data.set=digits",
        ];
        apply(&mut json, &settings.map(str::to_owned)).unwrap();
        let expected = json!({"training": {"epochs": 3}, "network": {"hidden": [8, 4]}, "data": {"set": "digits"}});
        assert_eq!(json, expected);
        assert!(apply(&mut json, &["epochs".to_owned()]).is_err());
    }
}
