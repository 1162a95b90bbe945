//! The language in which runs are searched: `network:vgg16 accuracy>0.9 tag:final "two words" -status:failed`. A run
//! must match all terms. `name:text` matches fields that contain the text, `name=value` fields that equal it, and
//! `name<number` and so on compare; a minus negates a term. A term without a field searches the names and labels of the
//! run.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Value;
use vivarium_models::spec::FieldError;

use super::facts::{Facts, leaves, text_of};
use crate::error::{Error, Result};

/// Text fields.
pub const TEXT_FIELDS: [&str; 9] = [
    "name", "status", "network", "data", "source", "tag", "notes", "sweep", "id",
];

/// Numeric fields.
pub const NUMBER_FIELDS: [&str; 11] = [
    "accuracy",
    "test",
    "loss",
    "train_loss",
    "train_accuracy",
    "parameters",
    "seconds",
    "memory",
    "speed",
    "epoch",
    "step",
];

/// The units of numbers and their factors.
const UNITS: [(&str, f64); 11] = [
    ("", 1.0),
    ("%", 0.01),
    ("k", 1e3),
    ("m", 1e6),
    ("g", 1e9),
    ("s", 1.0),
    ("min", 60.0),
    ("h", 3600.0),
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
];

/// The most characters of a search.
const LONGEST: usize = 1000;

/// A search that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search(Vec<Term>);

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Not(Box<Term>),
    /// In lower case.
    Anywhere(String),
    Number {
        field: &'static str,
        comparison: Comparison,
        bound: f64,
    },
    Text {
        field: &'static str,
        wanted: Wanted,
    },
    /// A setting that is compared with a number.
    SettingNumber {
        name: String,
        comparison: Comparison,
        bound: f64,
    },
    /// A setting with a value.
    Setting {
        name: String,
        wanted: Wanted,
        number: Option<f64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Comparison {
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Equal => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            Self::AtLeast => a >= b,
            Self::More => a > b,
        }
    }
}

/// A text, in lower case.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Contained(String),
    Equal(String),
}

impl Wanted {
    fn is(&self, found: &str) -> bool {
        let found = found.to_lowercase();
        match self {
            Self::Contained(text) => found.contains(text),
            Self::Equal(text) => found == *text,
        }
    }
}

impl Search {
    /// Reads a search. The names of settings are those of the runs in the index.
    ///
    /// # Errors
    /// [`Error::Fields`] names every term that is not understood.
    pub fn read(connection: &Connection, text: &str) -> Result<Self> {
        if text.chars().count() > LONGEST {
            let message = format!("must have at most {LONGEST} characters");
            return Err(Error::field("search", Value::Null, message));
        }
        Self::read_with(text, &mut Settings::of(connection))
    }

    fn read_with(text: &str, settings: &mut impl SettingNames) -> Result<Self> {
        let (mut terms, mut faults) = (Vec::new(), Vec::new());
        for word in tokenize(text) {
            match term(word, settings)? {
                Ok(term) => terms.push(term),
                Err(message) => {
                    faults.push(FieldError::new("search", &Value::from(word), &message));
                }
            }
        }
        if faults.is_empty() {
            Ok(Self(terms))
        } else {
            Err(Error::Fields(faults))
        }
    }

    /// Whether every run matches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a run matches.
    pub fn matches(&self, run: &Facts) -> bool {
        self.0.iter().all(|term| term.matches(run))
    }
}

impl Term {
    fn matches(&self, run: &Facts) -> bool {
        match self {
            Self::Not(term) => !term.matches(run),
            Self::Anywhere(text) => run.searched_text().contains(text),
            Self::Number {
                field,
                comparison,
                bound,
            } => run
                .number(field)
                .is_some_and(|found| comparison.holds(found, *bound)),
            Self::Text { field, wanted } => run.texts(field).iter().any(|found| wanted.is(found)),
            Self::SettingNumber {
                name,
                comparison,
                bound,
            } => run.settings_named(name).any(|found| {
                found
                    .as_f64()
                    .is_some_and(|found| comparison.holds(found, *bound))
            }),
            Self::Setting {
                name,
                wanted,
                number,
            } => run.settings_named(name).any(|found| match found.as_f64() {
                Some(found) => Some(found) == *number,
                None => wanted.is(&text_of(found)),
            }),
        }
    }
}

/// The names that settings have in a search.
trait SettingNames {
    /// Whether a run has a setting of this name.
    fn has(&mut self, name: &str) -> Result<bool>;
    /// All names.
    fn all(&mut self) -> Result<Vec<String>>;
}

/// The names of the settings of the runs in the index.
struct Settings<'a> {
    connection: &'a Connection,
}

impl<'a> Settings<'a> {
    fn of(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Calls `each` with the settings of every run, the newest first, until it returns `false`.
    fn each(&self, mut each: impl FnMut(&Value) -> bool) -> Result<()> {
        let sql = "SELECT spec FROM runs WHERE NOT deleted ORDER BY id DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let spec = row.get_ref(0)?.as_str().ok();
            let spec = spec.and_then(|spec| serde_json::from_str(spec).ok());
            if spec.is_some_and(|spec| !each(&spec)) {
                break;
            }
        }
        Ok(())
    }
}

impl SettingNames for Settings<'_> {
    fn has(&mut self, name: &str) -> Result<bool> {
        let mut found = false;
        self.each(|spec| {
            leaves(spec, &mut |path, _| found |= field_of(path) == name);
            !found
        })?;
        Ok(found)
    }

    fn all(&mut self) -> Result<Vec<String>> {
        let mut names = BTreeSet::new();
        self.each(|spec| {
            leaves(spec, &mut |path, _| {
                let name = field_of(path);
                if !names.contains(&name) {
                    names.insert(name);
                }
            });
            true
        })?;
        Ok(names.into_iter().collect())
    }
}

/// The short name of a setting: `training.optimizer.lr` is `lr`, `training.optimizer.kind` is `optimizer`.
pub fn field_of(path: &str) -> String {
    let mut parts = path.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let name = match last {
        "kind" | "set" => parts.next().unwrap_or(last),
        _ => last,
    };
    match name {
        "data" => "data_set".to_owned(),
        name => name.to_lowercase().replace(' ', "_"),
    }
}

/// Splits a text into words; quotes group words.
fn tokenize(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = quoted_end(rest).unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace);
            end.unwrap_or(rest.len())
        });
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
}

/// Where a word ends that is quoted, or whose value is.
fn quoted_end(text: &str) -> Option<usize> {
    let after_sign = text.strip_prefix('-').unwrap_or(text);
    let after_field = match split_field(after_sign) {
        Some((_, _, value)) => value,
        None => after_sign,
    };
    let inner = after_field.strip_prefix('"')?;
    let start = text.len() - inner.len();
    let end = inner.find('"').map_or(text.len(), |end| start + end + 1);
    Some(end)
}

/// Splits `field>=value`.
fn split_field(word: &str) -> Option<(&str, &str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let end = word.find(|c| !is_name(c)).filter(|&end| end > 0)?;
    let (field, rest) = word.split_at(end);
    let operators = [">=", "<=", "!=", ":", "=", "<", ">"];
    let operator = operators
        .iter()
        .find(|operator| rest.starts_with(**operator))?;
    let (operator, value) = rest.split_at(operator.len());
    Some((field, operator, value))
}

fn unquoted(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

/// Reads a term; the inner error is a message.
fn term(word: &str, settings: &mut impl SettingNames) -> Result<Result<Term, String>> {
    let negated = word.strip_prefix('-').filter(|inner| !inner.is_empty());
    if let Some(inner) = negated.filter(|inner| !inner.starts_with(|c: char| c.is_ascii_digit())) {
        return Ok(term(inner, settings)?.map(|term| Term::Not(Box::new(term))));
    }
    let split = split_field(word);
    let split =
        split.filter(|(field, ..)| !field.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    let Some((field, operator, value)) = split else {
        return Ok(Ok(Term::Anywhere(unquoted(word).to_lowercase())));
    };
    let value = unquoted(value);
    let name = field.to_lowercase();
    let known = |fields: &'static [&'static str]| fields.iter().copied().find(|of| *of == name);
    let (text, number) = (known(&TEXT_FIELDS), known(&NUMBER_FIELDS));
    if text.is_none() && number.is_none() && !settings.has(&name)? {
        let suggestion = suggest(&name, &settings.all()?);
        return Ok(Err(format!("There is no field “{field}”. {suggestion}")));
    }
    if value.is_empty() {
        return Ok(Err(format!("“{field}{operator}” needs a value.")));
    }
    if operator == "!=" {
        let equal = term(&format!("{field}=\"{value}\""), settings)?;
        return Ok(equal.map(|term| Term::Not(Box::new(term))));
    }
    if let Some(field) = number {
        return Ok(number_term(field, operator, value));
    }
    let comparison = comparison_of(operator);
    if comparison != Comparison::Equal {
        if text.is_some() {
            return Ok(Err(format!(
                "“{name}” is text: use “:” or “=”, not “{operator}”."
            )));
        }
        let Some(bound) = parse_number(value) else {
            return Ok(Err(format!("“{value}” is not a number.")));
        };
        return Ok(Ok(Term::SettingNumber {
            name,
            comparison,
            bound,
        }));
    }
    let wanted = match operator {
        ":" => Wanted::Contained(value.to_lowercase()),
        _ => Wanted::Equal(value.to_lowercase()),
    };
    Ok(Ok(match text {
        Some(field) => Term::Text { field, wanted },
        None => Term::Setting {
            name,
            wanted,
            number: parse_number(value),
        },
    }))
}

fn comparison_of(operator: &str) -> Comparison {
    match operator {
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">=" => Comparison::AtLeast,
        ">" => Comparison::More,
        _ => Comparison::Equal,
    }
}

fn number_term(field: &'static str, operator: &str, value: &str) -> Result<Term, String> {
    let Some(mut bound) = parse_number(value) else {
        return Err(format!(
            "“{value}” is not a number. Use “{field}>0.9” or “{field}<=5k”."
        ));
    };
    // An accuracy above 1 is meant as a percentage.
    let is_share = matches!(field, "accuracy" | "test" | "train_accuracy");
    if is_share && bound > 1.0 && bound <= 100.0 && !value.ends_with('%') {
        bound /= 100.0;
    }
    Ok(Term::Number {
        field,
        comparison: comparison_of(operator),
        bound,
    })
}

/// Reads a number with its unit.
fn parse_number(text: &str) -> Option<f64> {
    let end = number_end(text)?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Where the number at the beginning of a text ends.
fn number_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole > 0 || fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = bytes
            .get(end + 1 + sign..)
            .map_or(0, |_| digits(end + 1 + sign));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    Some(end)
}

fn suggest(name: &str, settings: &[String]) -> String {
    let mut fields: Vec<_> = TEXT_FIELDS.into_iter().chain(NUMBER_FIELDS).collect();
    for setting in settings {
        if !fields.contains(&setting.as_str()) {
            fields.push(setting);
        }
    }
    let is_near = |known: &&&str| {
        known.contains(name)
            || name.contains(**known)
            || known.chars().next() == name.chars().next()
    };
    let near: Vec<_> = fields.iter().filter(is_near).take(5).copied().collect();
    if near.is_empty() {
        format!("There are {} and more.", fields[..8].join(", "))
    } else {
        format!("There are {}.", near.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::facts::run_for_tests;
    use serde_json::json;

    /// The settings of some runs.
    struct Of(Vec<Value>);

    impl SettingNames for Of {
        fn has(&mut self, name: &str) -> Result<bool> {
            Ok(self.all()?.iter().any(|known| known == name))
        }

        fn all(&mut self) -> Result<Vec<String>> {
            let mut names = BTreeSet::new();
            for spec in &self.0 {
                leaves(spec, &mut |path, _| {
                    names.insert(field_of(path));
                });
            }
            Ok(names.into_iter().collect())
        }
    }

    fn spec(name: &str, network: &Value, training: &Value) -> Value {
        let mut spec = json!({
            "name": name,
            "data": {"set": "digits"},
            "network": {"kind": "mlp", "activation": "relu"},
            "training": {"batch_size": 32, "optimizer": {"kind": "sgd", "lr": 0.01}},
        });
        for (part, more) in [("network", network), ("training", training)] {
            for (key, value) in more.as_object().unwrap() {
                spec[part][key] = value.clone();
            }
        }
        spec
    }

    fn runs() -> Vec<Facts> {
        let figures = |accuracy: Value, seconds: u64| {
            json!({
                "best_validation_accuracy": accuracy, "validation_loss": 0.2, "parameters": 17_226,
                "seconds": seconds, "peak_memory_bytes": 30 << 20,
            })
        };
        let large = json!({"kind": "vgg16", "head": "compact"});
        let other = json!({"batch_size": 128, "optimizer": {"kind": "adamw", "lr": 0.001}});
        let mut apple = run_for_tests(
            &spec("apple", &json!({}), &json!({})),
            &figures(json!(0.95), 90),
        );
        apple.tags = vec!["final".to_owned(), "course two".to_owned()];
        let mut banana = run_for_tests(&spec("banana", &large, &other), &figures(json!(0.8), 700));
        banana.status = crate::index::runs::Status::Failed;
        let mut cherry = run_for_tests(
            &spec("cherry pie", &json!({}), &json!({})),
            &figures(Value::Null, 90),
        );
        cherry.notes = "tastes good".to_owned();
        vec![apple, banana, cherry]
    }

    fn read(text: &str) -> Result<Search> {
        let mut settings = Of(runs().iter().map(|run| run.spec().clone()).collect());
        Search::read_with(text, &mut settings)
    }

    fn found(text: &str) -> Vec<String> {
        let search = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let runs = runs().into_iter();
        runs.filter(|run| search.matches(run))
            .map(|run| run.name)
            .collect()
    }

    fn faults(text: &str) -> Vec<(String, String)> {
        match read(text) {
            Err(Error::Fields(faults)) => faults
                .into_iter()
                .map(|fault| (text_of(&fault.value), fault.message))
                .collect(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn terms_are_combined_by_and_and_a_word_alone_searches_everywhere() {
        assert_eq!(found(""), ["apple", "banana", "cherry pie"]);
        assert_eq!(found("an"), ["banana"]);
        assert_eq!(found("mlp p"), ["apple", "cherry pie"]);
        assert_eq!(found("\"cherry pie\""), ["cherry pie"]);
        assert_eq!(found("tastes"), ["cherry pie"]);
        assert!(found("<script> x").is_empty());
        assert_eq!(found("CHERRY"), ["cherry pie"]);
    }

    #[test]
    fn fields_are_matched_by_text_by_value_and_by_comparison() {
        for (text, expected) in [
            ("network:vgg", &["banana"][..]),
            ("network=vgg", &[]),
            ("tag:final", &["apple"]),
            ("tag:\"course two\"", &["apple"]),
            ("status:failed", &["banana"]),
            ("accuracy>0.9", &["apple"]),
            ("accuracy>90% network:mlp", &["apple"]),
            ("accuracy>=80", &["apple", "banana"]),
            ("lr<=0.005", &["banana"]),
            ("lr=1e-3", &["banana"]),
            ("batch_size=32", &["apple", "cherry pie"]),
            ("batch_size!=32", &["banana"]),
            ("head:compact", &["banana"]),
            (
                "parameters<20k seconds<2min memory>20MiB",
                &["apple", "cherry pie"],
            ),
            ("-network:mlp", &["banana"]),
            ("optimizer:adamw", &["banana"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn imported_runs_are_found_by_their_source_and_their_hyperparameters() {
        let theirs =
            json!({"name": "theirs", "source": {"kind": "tensorboard"}, "hparams": {"lr": 2}});
        let runs = [
            run_for_tests(&spec("mine", &json!({}), &json!({})), &json!({})),
            run_for_tests(&theirs, &json!({})),
        ];
        let mut settings = Of(runs.iter().map(|run| run.spec().clone()).collect());
        for (text, expected) in [
            ("source:tensorboard", "theirs"),
            ("source:vivarium", "mine"),
            ("tensorboard", "theirs"),
            ("lr>1", "theirs"),
            ("network:mlp", "mine"),
        ] {
            let search = Search::read_with(text, &mut settings).unwrap();
            let found: Vec<_> = runs.iter().filter(|run| search.matches(run)).collect();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].name, expected, "{text}");
        }
        assert_eq!(runs[1].sort_value("network"), None);
    }

    #[test]
    fn a_missing_value_matches_no_comparison() {
        assert!(found("name:cherry accuracy<1").is_empty());
        assert!(found("name:cherry accuracy>0").is_empty());
    }

    #[test]
    fn a_percentage_with_its_unit_is_read_literally() {
        assert_eq!(found("accuracy<150%"), ["apple", "banana"]);
    }

    #[test]
    fn every_term_that_is_not_understood_is_told_with_what_there_is() {
        let faults = faults("mlp netwrk:mlp accuracy>much status>3 lr:");
        let terms: Vec<_> = faults.iter().map(|(term, _)| term.as_str()).collect();
        assert_eq!(terms, ["netwrk:mlp", "accuracy>much", "status>3", "lr:"]);
        assert!(faults[0].1.contains("no field “netwrk”"), "{faults:?}");
        assert!(faults[0].1.contains("name"), "{faults:?}");
        assert!(faults[1].1.contains("“much” is not a number"));
        assert!(faults[2].1.contains("is text"));
        assert!(faults[3].1.contains("needs a value"));
    }

    #[test]
    fn properties_of_every_object_are_not_fields() {
        for name in ["constructor", "__proto__", "valueOf"] {
            assert!(
                faults(&format!("{name}:x"))[0].1.contains("no field"),
                "{name}"
            );
        }
    }

    #[test]
    fn numbers_have_units() {
        for (text, expected) in [
            ("5", 5.0),
            ("5k", 5e3),
            ("1.5M", 1.5e6),
            ("90%", 0.9),
            ("2min", 120.0),
            ("1h", 3600.0),
            ("3GiB", 3.0 * 1_073_741_824.0),
            ("-1e-3", -0.001),
            (".5", 0.5),
        ] {
            assert_eq!(parse_number(text), Some(expected), "{text}");
        }
        for text in [
            "", "x", "5q", "1..2", "5 5", "5e", ".", "-", "1e+", "nan", "inf", "é",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn quotes_hold_words_together_closed_or_not() {
        assert_eq!(
            tokenize("a tag:\"b c\" \"d e"),
            ["a", "tag:\"b c\"", "\"d e"]
        );
        assert_eq!(
            tokenize(" -tag:\"b c\"x é\"f g\" "),
            ["-tag:\"b c\"", "x", "é\"f", "g\""]
        );
    }
}
