//! JSON bodies, with errors that name the field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use vivarium_models::spec::FieldError;

use super::problem::Problem;

/// A JSON body. Unlike axum's own extractor it names the field where parsing fails: `NaN` for a learning rate is an
/// error of the learning rate.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok());
        let kind = kind
            .and_then(|kind| kind.split(';').next())
            .unwrap_or_default()
            .trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let detail = "The body must be application/json.";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Not JSON",
                detail,
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|e| match e.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The body is too large",
                    "The body is larger than this request may send. Send it in parts.",
                ),
                status => Problem::new(status, "The body cannot be read", e.body_text()),
            })?;
        parse(&bytes)
    }
}

/// A field that may be missing but not `null`, because `null` could mean “keep it” or “remove it”.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Body<T>, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let message = format!("cannot be read: {}", error.inner());
        if path == "." {
            return Problem::new(
                StatusCode::BAD_REQUEST,
                "Not JSON",
                format!("The body {message}."),
            );
        }
        let path = path.replace('[', ".").replace(']', "");
        let fault = FieldError::new(&path, &serde_json::Value::Null, &message);
        Problem::of_fields("The body is not valid", vec![fault])
    })?;
    json.end().map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "Not JSON",
            format!("The body cannot be read: {error}."),
        )
    })?;
    Ok(Body(value))
}
