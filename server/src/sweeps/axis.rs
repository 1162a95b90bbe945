//! The values of one setting in a sweep: a list, or a range.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, Object, Schema, SchemaType};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use vivarium_models::random::Generator;

/// The maximum number of values of a range in a grid.
const MOST_VALUES: usize = 100;

/// The values of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Axis {
    /// These values.
    List(Vec<Value>),
    /// The values between two numbers.
    Range(Range),
}

/// The numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// How many values a grid takes, both ends included.
    #[serde(default = "four")]
    #[schema(minimum = 1, maximum = 100, default = 4)]
    pub count: usize,
    /// How they are spaced.
    #[serde(default)]
    #[schema(default = "linear")]
    pub scale: Scale,
}

/// The spacing of values in a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RangeScale)]
pub enum Scale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

fn four() -> usize {
    4
}

impl PartialSchema for Axis {
    fn schema() -> RefOr<Schema> {
        let list = ArrayBuilder::new()
            .items(Object::with_type(SchemaType::AnyValue))
            .min_items(Some(1));
        let any = AnyOfBuilder::new()
            .description(Some(
                "The values of a setting in a sweep: a list, or a range.",
            ))
            .item(list)
            .item(Ref::from_schema_name(Range::name()));
        Schema::AnyOf(any.build()).into()
    }
}

impl ToSchema for Axis {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Axis")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Range::name().into_owned(), Range::schema()));
        Range::schemas(schemas);
    }
}

impl Axis {
    /// Parses a list or an object that is a range; the error says what is allowed.
    pub fn read(json: &Value) -> Result<Self, String> {
        match json {
            Value::Array(values) if !values.is_empty() => Ok(Self::List(values.clone())),
            Value::Object(_) => {
                let range: Range = serde_json::from_value(json.clone()).map_err(|error| {
                    format!("must be a range such as {{\"from\": 0.001, \"to\": 0.1, \"count\": 3, \"scale\": \"log\"}}: {error}")
                })?;
                range.check().map(|()| Self::Range(range))
            }
            _ => Err("must be a list with at least one value, or a range".to_owned()),
        }
    }

    /// The values for a grid, rounded if the setting is an integer.
    pub fn values(&self, whole: bool) -> Vec<Value> {
        match self {
            Self::List(values) => values.clone(),
            Self::Range(range) => {
                let last = range.count - 1;
                let share = |i: usize| {
                    if last == 0 {
                        0.0
                    } else {
                        i as f64 / last as f64
                    }
                };
                let mut values: Vec<_> = (0..range.count)
                    .map(|i| number(range.at(share(i)), whole))
                    .collect();
                // Close values round to the same integer.
                values.dedup();
                values
            }
        }
    }

    /// A random value: one of the list, or any number in the range.
    pub fn sample(&self, random: &mut Generator, whole: bool) -> Value {
        match self {
            Self::List(values) => {
                let at = random.below(values.len() as u64) as usize;
                values.get(at).cloned().unwrap_or_default()
            }
            Self::Range(range) => number(range.at(random.unit()), whole),
        }
    }
}

impl Range {
    fn check(&self) -> Result<(), String> {
        if !self.from.is_finite() || !self.to.is_finite() || self.from >= self.to {
            return Err("must go from a number to a larger one".to_owned());
        }
        if self.scale == Scale::Log && self.from <= 0.0 {
            return Err("must begin above 0, because its scale is logarithmic".to_owned());
        }
        if !(1..=MOST_VALUES).contains(&self.count) {
            return Err(format!("count must be 1 to {MOST_VALUES}"));
        }
        Ok(())
    }

    /// The value at a fraction of the range.
    fn at(&self, share: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => self.from + (self.to - self.from) * share,
            Scale::Log => self.from * (self.to / self.from).powf(share),
        };
        // Rounded to three digits for readability; never beyond the ends.
        short(value).clamp(self.from, self.to)
    }
}

/// Rounds to three digits.
fn short(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

fn number(value: f64, whole: bool) -> Value {
    if whole {
        Value::from(value.round() as i64)
    } else {
        Value::from(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vivarium_models::random::Key;

    fn axis(json: Value) -> Axis {
        Axis::read(&json).unwrap()
    }

    #[test]
    fn a_range_has_its_ends_and_equal_steps_or_ratios_between() {
        let lr = axis(json!({"from": 0.0001, "to": 0.1, "count": 4, "scale": "log"}));
        assert_eq!(json!(lr.values(false)), json!([0.0001, 0.001, 0.01, 0.1]));
        let dropout = axis(json!({"from": 0, "to": 0.5, "count": 3}));
        assert_eq!(json!(dropout.values(false)), json!([0.0, 0.25, 0.5]));
        let batch = axis(json!({"from": 16, "to": 128, "scale": "log"}));
        assert_eq!(json!(batch.values(true)), json!([16, 32, 64, 128]));
        let few = axis(json!({"from": 1, "to": 3, "count": 9}));
        assert_eq!(json!(few.values(true)), json!([1, 2, 3]));
    }

    #[test]
    fn what_is_no_axis_is_refused_in_words() {
        for (json, words) in [
            (json!(3), "a list"),
            (json!([]), "a list"),
            (json!({"from": 1}), "to"),
            (json!({"from": 2, "to": 1}), "larger"),
            (json!({"from": 0, "to": 1, "scale": "log"}), "above 0"),
            (json!({"from": 0, "to": 1, "count": 0}), "count"),
            (json!({"from": 0, "to": 1, "step": 2}), "step"),
            (json!({"from": 0, "to": 1, "scale": "cubic"}), "cubic"),
        ] {
            let fault = Axis::read(&json).unwrap_err();
            assert!(fault.contains(words), "{json}: {fault}");
        }
    }

    #[test]
    fn samples_lie_within_and_are_spread_as_the_scale_says() {
        let mut random = Key::new(7, "test").generator();
        let lr = axis(json!({"from": 0.0001, "to": 0.1, "scale": "log"}));
        let samples: Vec<f64> = (0..2000)
            .map(|_| lr.sample(&mut random, false).as_f64().unwrap())
            .collect();
        assert!(samples.iter().all(|v| (0.0001..=0.1).contains(v)));
        // A third of them in each of three decades.
        let first = samples.iter().filter(|v| **v < 0.001).count();
        assert!((560..780).contains(&first), "{first}");
        let list = axis(json!(["relu", "tanh"]));
        let tanh = (0..2000).filter(|_| list.sample(&mut random, false) == "tanh");
        assert!((900..1100).contains(&tanh.count()));
    }
}
