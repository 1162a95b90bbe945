//! Checks a JSON document against the table of fields.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::defaults::check_defaults;
use super::rules;
use crate::data::{DataSet, Library, State};
use crate::graph::Criterion;
use crate::networks::{self, NETWORKS, NetworkRow, NetworkText};
use crate::spec::{COMMON, Field, FieldError, GROUPS, Group, Need, NetworkSpec, RunSpec, literal};

/// Checks a document and fills in its defaults.
///
/// The default of a missing value is that of the network, else of the data set, else of the field.
///
/// # Errors
/// All errors of the document at once, such as a data set that is not in the library. Fields are checked against each
/// other only after each is valid by itself.
///
/// ```
/// use serde_json::json;
/// use vivarium_models::{data::Library, form};
///
/// let mut document = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
/// let run = form::check(&document, &Library::none()).unwrap();
/// assert_eq!(run.network.options["hidden"], json!([128, 64]));
///
/// document["network"]["hidden"] = json!([0]);
/// let faults = form::check(&document, &Library::none()).unwrap_err();
/// assert_eq!(faults[0].path, "network.hidden.0");
/// ```
pub fn check(json: &Value, library: &Library) -> std::result::Result<RunSpec, Vec<FieldError>> {
    let Value::Object(document) = json else {
        return Err(vec![FieldError::new("", json, "must be an object")]);
    };
    let mut check = Check::new(document);
    check.all(library);
    if !check.errors.is_empty() {
        return Err(check.errors);
    }
    let spec: RunSpec = serde_json::from_value(Value::Object(check.filled))
        .map_err(|e| vec![FieldError::new("", &Value::Null, &e.to_string())])?;
    match rules::between_fields(&spec, library) {
        errors if errors.is_empty() => Ok(spec),
        errors => Err(errors),
    }
}

/// Checks the options of a network alone, without a run: `{"kind": "mlp", "norm": true}`.
pub(crate) fn check_network(json: &Value) -> std::result::Result<NetworkSpec, Vec<FieldError>> {
    let document = Map::from_iter([("network".to_owned(), json.clone())]);
    let mut check = Check::new(&document);
    check.section("network");
    check.network_row();
    check.network_fields();
    check.unknown_in("network");
    if !check.errors.is_empty() {
        return Err(check.errors);
    }
    serde_json::from_value(check.filled["network"].take())
        .map_err(|e| vec![FieldError::new("network", json, &e.to_string())])
}

/// The name of the network.
const KIND: &str = "network.kind";

/// The sections of a document.
const SECTIONS: [&str; 4] = ["data", "network", "training", "resources"];

/// The state of a check.
struct Check<'a> {
    document: &'a Map<String, Value>,
    network: Option<Arc<NetworkRow>>,
    data: Option<DataSet>,
    filled: Map<String, Value>,
    errors: Vec<FieldError>,
    /// Known paths of the network and the data set in use.
    known: Vec<String>,
}

impl<'a> Check<'a> {
    fn new(document: &'a Map<String, Value>) -> Self {
        Self {
            document,
            network: None,
            data: None,
            filled: Map::new(),
            errors: Vec::new(),
            known: Vec::new(),
        }
    }

    fn all(&mut self, library: &Library) {
        for section in SECTIONS {
            self.section(section);
        }
        self.data_set(library);
        self.network_row();
        self.fields(COMMON);
        let fields = self.data.as_ref().map(|set| set.fields.clone());
        self.fields(fields.as_deref().unwrap_or_default());
        self.network_fields();
        if let Some(network) = self.network.clone() {
            self.fields(rules::training_fields(network.criterion));
        }
        for group in GROUPS {
            self.group(group);
        }
        self.unknown_at_top();
        if self.data.is_some() {
            self.unknown_in("data");
        }
        // A network that is not known may have settings of its training.
        if self.network.is_some() {
            self.unknown_in("network");
            self.unknown_in("training");
        }
        self.unknown_in("resources");
        self.name();
    }

    fn section(&mut self, section: &str) {
        self.filled
            .insert(section.to_owned(), Value::Object(Map::new()));
        if let Some(value) = self
            .document
            .get(section)
            .filter(|value| !value.is_object())
        {
            self.errors
                .push(FieldError::new(section, value, "must be an object"));
        }
    }

    fn data_set(&mut self, library: &Library) {
        let sets = library.sets();
        let names: Vec<&str> = sets.iter().map(|set| &*set.set).collect();
        let Some(name) = self.choose("data.set", &names) else {
            return;
        };
        self.data = sets.into_iter().find(|set| set.set == name);
        let message = match self.data.as_ref().map(|set| &set.state) {
            Some(State::Missing) => library.missing(&name),
            Some(State::Damaged { message }) => format!("cannot be read: {message}"),
            _ => return,
        };
        self.errors
            .push(FieldError::new("data.set", &Value::from(name), &message));
    }

    fn network_row(&mut self) {
        const SOURCE: &str = "network.source";
        const REVISION: &str = "network.revision";
        self.known.push(SOURCE.to_owned());
        let Some(source) = self.given(SOURCE).filter(|source| !source.is_null()) else {
            let names: Vec<_> = NETWORKS.iter().map(|row| &*row.kind).collect();
            let kind = self.choose(KIND, &names);
            self.network = kind.and_then(|kind| networks::row(&kind));
            return;
        };
        self.known.extend([KIND, REVISION].map(str::to_owned));
        let given = self.given(KIND).unwrap_or(&Value::Null);
        let kind = given.as_str().unwrap_or_default();
        if let Err(message) = networks::check_name(kind) {
            return self.errors.push(FieldError::new(KIND, given, &message));
        }
        self.fill(KIND, given.clone());
        let Some(text) = source.as_str() else {
            let message = "must be the text of a network";
            return self.errors.push(FieldError::new(SOURCE, source, message));
        };
        let read = NetworkText::read(text).and_then(|read| {
            check_defaults(&read)?;
            Ok(read)
        });
        match read {
            Ok(read) => {
                self.fill(SOURCE, source.clone());
                self.fill(REVISION, Value::from(networks::revision(text)));
                self.network = Some(Arc::new(NetworkRow::new(kind, read)));
            }
            Err(error) => self.errors.push(FieldError::of_text(SOURCE, text, &error)),
        }
    }

    fn network_fields(&mut self) {
        if let Some(network) = self.network.clone() {
            self.fields(&network.fields);
        }
    }

    /// The name of a row, which has no default.
    fn choose(&mut self, path: &str, names: &[&str]) -> Option<String> {
        self.known.push(path.to_owned());
        let given = self.given(path);
        if let Some(Value::String(name)) = given
            && names.contains(&name.as_str())
        {
            self.fill(path, Value::from(name.as_str()));
            return Some(name.clone());
        }
        // A section that is not an object has been refused before.
        let section = path.split('.').next().unwrap_or(path);
        if self.document.get(section).is_none_or(Value::is_object) {
            let message = format!("must be one of {}", names.join(", "));
            self.errors.push(FieldError::new(
                path,
                given.unwrap_or(&Value::Null),
                &message,
            ));
        }
        None
    }

    fn given(&self, path: &str) -> Option<&'a Value> {
        let mut parts = path.split('.');
        let first = self.document.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.as_object()?.get(part))
    }

    /// The default of a field.
    fn default(&self, path: &str, last: &str) -> Value {
        if let Some(json) = self.network.as_ref().and_then(|row| row.defaults.get(path)) {
            return json.clone();
        }
        let data = self.data.as_ref().and_then(|set| set.defaults.get(path));
        data.cloned().unwrap_or_else(|| literal(last))
    }

    fn fill(&mut self, path: &str, value: Value) {
        let mut object = &mut self.filled;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                object.insert(part.to_owned(), value);
                return;
            }
            let entry = object
                .entry(part)
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(next) = entry else { return };
            object = next;
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            self.known.push(field.path.to_string());
            let value = match self.given(&field.path) {
                Some(value) => value.clone(),
                None => self.default(&field.path, &field.default),
            };
            match field.check(&value) {
                Ok(value) => self.fill(&field.path, value),
                Err(errors) => self.errors.extend(errors),
            }
        }
    }

    fn group(&mut self, group: &Group) {
        self.known.push(group.path.to_owned());
        let given = self.given(group.path);
        let whole = match given {
            Some(value) => value.clone(),
            None if group.default.is_none() => self.default(group.path, "null"),
            None => Value::Object(Map::new()),
        };
        // A group that is off is left out, so that documents of versions without it are the same.
        if whole.is_null() && group.nullable {
            return;
        }
        if let Some(message) = self.unmet(group) {
            self.errors
                .push(FieldError::new(group.path, &whole, message));
            return;
        }
        let Value::Object(object) = &whole else {
            let allowed = if group.nullable {
                "must be an object or null"
            } else {
                "must be an object"
            };
            return self
                .errors
                .push(FieldError::new(group.path, &whole, allowed));
        };
        let mut allowed = Vec::new();
        let variant = match group.selector {
            None => group.variants.first(),
            Some(selector) => {
                allowed.push(selector);
                let path = format!("{}.{selector}", group.path);
                let default = group.default.map_or(Value::Null, Value::from);
                let word = match object.get(selector) {
                    Some(word) => word.clone(),
                    None => self.default(&path, &default.to_string()),
                };
                let variant = group
                    .variants
                    .iter()
                    .find(|v| v.value.is_some() && v.value == word.as_str());
                if variant.is_some() {
                    self.fill(&path, word);
                } else {
                    let words: Vec<_> = group.variants.iter().filter_map(|v| v.value).collect();
                    let message = format!("must be one of {}", words.join(", "));
                    self.errors.push(FieldError::new(&path, &word, &message));
                }
                variant
            }
        };
        let Some(variant) = variant else { return };
        self.fields(variant.fields);
        allowed.extend(variant.fields.iter().map(Field::key));
        self.unknown(group.path, object, &allowed);
    }

    /// Why a group means nothing for the network or the data of this run.
    fn unmet(&self, group: &Group) -> Option<&'static str> {
        group.needs.iter().find_map(|need| match need {
            Need::Images => (self.data.as_ref()?.dimensions != 3)
                .then_some("must be null for points; it is for images"),
            Need::CrossEntropy => (self.network.as_ref()?.criterion != Criterion::CrossEntropy)
                .then_some("must be null for a network that is not trained by cross-entropy"),
        })
    }

    fn unknown_at_top(&mut self) {
        let mut allowed: Vec<_> = COMMON
            .iter()
            .map(|f| &*f.path)
            .filter(|path| !path.contains('.'))
            .collect();
        allowed.extend(SECTIONS);
        self.unknown("", self.document, &allowed);
    }

    fn unknown_in(&mut self, section: &str) {
        if let Some(object) = self.document.get(section).and_then(Value::as_object) {
            let known = std::mem::take(&mut self.known);
            let inside = |path: &'_ String| {
                path.split_once('.')
                    .is_some_and(|(first, _)| first == section)
            };
            let allowed: Vec<_> = known
                .iter()
                .filter(|path| inside(path))
                .filter_map(|path| path.split('.').nth(1))
                .collect();
            self.unknown(section, object, &allowed);
            self.known = known;
        }
    }

    fn unknown(&mut self, place: &str, object: &Map<String, Value>, allowed: &[&str]) {
        let mut names: Vec<_> = allowed.to_vec();
        names.sort_unstable();
        names.dedup();
        for (key, value) in object {
            if !names.contains(&key.as_str()) {
                let path = if place.is_empty() {
                    key.clone()
                } else {
                    format!("{place}.{key}")
                };
                let message = match names.is_empty() {
                    true => "is not known here".to_owned(),
                    false => format!("is not known here; known are {}", names.join(", ")),
                };
                self.errors.push(FieldError::new(&path, value, &message));
            }
        }
    }

    /// The name of a run that was given none: its network and data set.
    fn name(&mut self) {
        if let (Some(network), Some(data)) = (&self.network, &self.data)
            && self
                .filled
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|name| name.trim().is_empty())
        {
            let name = format!("{} on {}", network.kind, data.set);
            self.filled.insert("name".to_owned(), Value::from(name));
        }
    }
}
