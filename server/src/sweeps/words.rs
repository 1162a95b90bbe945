//! The words for settings in the names of a sweep's runs: those of the form.

use serde_json::Value;
use vivarium_models::data::Library;
use vivarium_models::form::{self, FormTable};
use vivarium_models::spec::{Field, FieldKind};

/// The form's words for settings.
pub(super) struct Words(FormTable);

impl Words {
    /// The words of the form, with the data sets of a library.
    pub(super) fn of(library: &Library) -> Self {
        Self(form::table(library))
    }

    /// A setting with its value: `learning rate 0.1`, `activation ReLU`. A whole network, or any other group, is called
    /// by its kind.
    pub(super) fn phrase(&self, path: &str, value: &Value) -> String {
        if let Some(kind) = value.get("kind").and_then(Value::as_str) {
            return kind.to_owned();
        }
        match self.field(path) {
            Some(field) => format!("{} {}", lowered(&field.label), said(field, value)),
            None => format!("{} {}", short(path), plain(value)),
        }
    }

    fn field(&self, path: &str) -> Option<&Field> {
        let Self(form) = self;
        let variants = form.groups.iter().flat_map(|group| group.variants);
        form.common
            .iter()
            .chain(variants.flat_map(|variant| variant.fields))
            .chain(form.networks.iter().flat_map(|of| of.fields.iter()))
            .chain(form.data_sets.iter().flat_map(|of| of.fields.iter()))
            .find(|field| field.path == path)
    }
}

/// A value in the words of its field.
fn said(field: &Field, value: &Value) -> String {
    match (&field.kind, value) {
        (_, Value::Null) => lowered(field.null_label.unwrap_or("none")),
        (_, Value::Bool(true)) => "yes".to_owned(),
        (_, Value::Bool(false)) => "no".to_owned(),
        // The versions of labels are those of one set.
        (FieldKind::Choice { options }, Value::String(word)) if field.path != "data.version" => {
            let option = options.iter().find(|option| option.value == *word);
            option.map_or_else(|| word.clone(), |option| option.label.to_string())
        }
        _ => plain(value),
    }
}

/// The last part of a path that says something, for a setting of no form.
fn short(path: &str) -> String {
    let mut parts = path.rsplit('.');
    let last = parts.next().unwrap_or(path);
    let word = match last {
        "kind" | "set" => parts.next().unwrap_or(last),
        _ => last,
    };
    word.replace('_', " ")
}

/// A label within a sentence; abbreviations keep their capitals.
fn lowered(label: &str) -> String {
    let mut letters = label.chars();
    let first = letters.next();
    match first {
        Some(first) if !letters.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label.to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_have_the_words_of_the_form() {
        let words = Words::of(&Library::none());
        let cases = [
            ("training.optimizer.lr", json!(0.1), "learning rate 0.1"),
            ("network.activation", json!("relu"), "activation ReLU"),
            ("network", json!({"kind": "vgg16"}), "vgg16"),
            ("network.kind", json!("vgg16"), "network vgg16"),
            ("network.of_its_own", json!(3), "of its own 3"),
        ];
        for (path, value, expected) in cases {
            assert_eq!(words.phrase(path, &value), expected);
        }
    }
}
