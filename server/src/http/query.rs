//! The query of a URL: as ordered pairs, in which a name may occur several times, or as a type.

use axum::extract::FromRequestParts;
use axum::extract::Query as Axum;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vivarium_models::spec::FieldError;

use super::api::inside::params::allowed;
use super::problem::Problem;

/// The extractor of pairs, which is axum's own; the handlers read what they need.
pub(super) type Pairs = Axum<Vec<(String, String)>>;

/// A query as a type. Unlike axum's own extractor it names the parameter that is wrong, with what is allowed.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Axum::try_from_uri(&parts.uri) {
            Ok(Axum(query)) => Ok(Self(query)),
            Err(rejection) => {
                let pairs = Pairs::try_from_uri(&parts.uri).map(|Axum(pairs)| pairs);
                let message = rejection.body_text();
                Err(refusal(&message, &pairs.unwrap_or_default()))
            }
        }
    }
}

/// What axum says of a query, as an error of the parameter.
fn refusal(message: &str, pairs: &[(String, String)]) -> Problem {
    let message = message
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(message);
    let wrong = |name: &str, message: &str| {
        let value = values(pairs, name).next().map_or(Value::Null, Value::from);
        Problem::of_query(FieldError::new(name, &value, message))
    };
    let of = |fault: &str| message.strip_prefix(fault)?.split('`').next();
    if let Some(name) = of("missing field `") {
        return wrong(name, "is needed");
    }
    if let Some(name) = of("duplicate field `") {
        return wrong(name, "must be given once");
    }
    let (name, fault) = message.split_once(": ").unwrap_or(("", message));
    let message = if fault.starts_with("unknown variant") {
        allowed(fault)
    } else if fault.contains("digit") || fault.contains("integer") || fault.contains("too large") {
        "must be a whole number from 0".to_owned()
    } else if fault.contains("float") {
        "must be a number".to_owned()
    } else {
        format!("cannot be read: {fault}")
    };
    wrong(name, &message)
}

/// All values of a name.
pub(super) fn values<'a>(
    pairs: &'a [(String, String)],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    pairs
        .iter()
        .filter(move |(of, _)| of == name)
        .map(|(_, value)| value.as_str())
}
