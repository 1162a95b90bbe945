//! The one place where an error becomes a status: a problem document (RFC 9457) under `/api`, a page elsewhere. Errors
//! of the server are logged here, once.

use std::any::Any;

use askama::Template;
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::links;
use vivarium_models::spec::FieldError;

use crate::error::Error;
use crate::panics;

/// Seconds after which a full queue has moved on.
const RETRY_AFTER: u32 = 2;

/// An error as the API returns it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    detail: String,
    /// The invalid fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Seconds after which a retry makes sense.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// The title of a problem with something that does not exist.
const NOT_FOUND: &str = "Not found";

impl Problem {
    /// A problem with a message.
    pub fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: title.into(),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A problem with fields of the request's body.
    pub fn of_fields(title: &str, errors: Vec<FieldError>) -> Self {
        let each: Vec<_> = errors
            .iter()
            .map(|e| format!("{}: {}", e.path, e.message))
            .collect();
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, title, each.join("; "));
        Self { errors, ..problem }
    }

    /// A problem with a parameter of the query.
    pub fn of_query(error: FieldError) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            ..Self::of_fields("The query is not valid", vec![error])
        }
    }

    /// The answer to a request for `path`.
    pub fn respond(self, path: &str) -> Response {
        let retry_after = self.retry_after;
        let mut response = if path.starts_with("/api/") {
            self.document()
        } else {
            self.page(path)
        };
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn document(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }

    fn page(self, path: &str) -> Response {
        let section = Section::of(path);
        // What a handler did not find is what the address names; a path that leads nowhere may name something that is there.
        let title = if self.title == NOT_FOUND {
            section.missing.to_owned()
        } else {
            self.title.clone()
        };
        let page = ErrorPage {
            title,
            version: env!("CARGO_PKG_VERSION"),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            section,
        };
        match page.render() {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(_) => (self.status, format!("{}\n{}", self.title, self.detail)).into_response(),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: String,
    version: &'static str,
    status: u16,
    detail: String,
    section: Section,
}

/// The pages that an address belongs to.
#[derive(Clone, Copy)]
struct Section {
    /// What is said of an address where there is nothing.
    missing: &'static str,
    /// The page that lists what there is.
    list: &'static str,
    list_name: &'static str,
    /// Where to go on without it.
    begin: &'static str,
    begin_name: &'static str,
}

impl Section {
    const RUNS: Self = Self {
        missing: "This run does not exist",
        list: "/",
        list_name: "All runs",
        begin: "/new",
        begin_name: "New run",
    };

    fn of(path: &str) -> Self {
        match path.split('/').nth(1).unwrap_or_default() {
            "runs" => Self::RUNS,
            "sweeps" => Self {
                missing: "This sweep does not exist",
                ..Self::RUNS
            },
            "networks" => Self {
                missing: "This network does not exist",
                list: "/networks",
                list_name: "All networks",
                begin: "/networks/new",
                begin_name: "New network",
            },
            "reports" => Self {
                missing: "This report does not exist",
                list: "/reports",
                list_name: "All reports",
                begin: "/",
                begin_name: "All runs",
            },
            "data" => Self {
                missing: "This data set does not exist",
                list: "/data",
                list_name: "All data sets",
                ..Self::RUNS
            },
            _ => Self {
                missing: "This page does not exist",
                ..Self::RUNS
            },
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Spec(errors) => Self::of_fields("The run's settings are not valid", errors),
            Error::Field(error) => Self::of_fields("Not possible", vec![*error]),
            Error::Fields(errors) => Self::of_fields("Not possible", errors),
            Error::Overloaded(_) => Self {
                retry_after: Some(RETRY_AFTER),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Too much at a time",
                    detail,
                )
            },
            Error::IndexInUse | Error::Unreadable(_) => Self {
                retry_after: Some(RETRY_AFTER),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not possible now", detail)
            },
            Error::BadRequest(_) => Self::new(StatusCode::BAD_REQUEST, "Bad request", detail),
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, NOT_FOUND, detail),
            Error::Conflict(_) => Self::new(StatusCode::CONFLICT, "Not possible now", detail),
            Error::PreconditionFailed(_) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "Changed elsewhere", detail)
            }
            Error::Busy(_) => Self {
                retry_after: Some(RETRY_AFTER),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "Too much at a time", detail)
            },
            Error::File { ref source, .. }
            | Error::Models(vivarium_models::Error::File { ref source, .. })
                if links::is_refusal(source) =>
            {
                Self::new(StatusCode::CONFLICT, "Not followed", detail)
            }
            // The request is impossible, or its files are invalid.
            Error::Models(vivarium_models::Error::Setting { path, message }) => {
                let fault = FieldError::new(&path, &serde_json::Value::Null, &message);
                Self::of_fields("Not possible", vec![fault])
            }
            Error::Models(vivarium_models::Error::Refused(faults)) => {
                let null = serde_json::Value::Null;
                let errors = faults
                    .into_iter()
                    .map(|fault| FieldError::new(&fault.file, &null, &fault.message));
                Self::of_fields("The files are refused", errors.collect())
            }
            Error::Fetch(_) => Self::new(StatusCode::BAD_GATEWAY, "Not fetched", detail),
            Error::Models(_)
            | Error::File { .. }
            | Error::System { .. }
            | Error::Json { .. }
            | Error::IndexFile { .. }
            | Error::EventLog { .. }
            | Error::Locked { .. }
            | Error::Index(_)
            | Error::DataDirInUse { .. }
            | Error::Usage(_)
            | Error::Gone(_)
            | Error::Panic(_) => {
                tracing::error!(error = detail, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The server failed",
                    detail,
                )
            }
        }
    }
}

/// Carries a problem to [`render`], which knows the path of the request.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Renders a problem as a document or as a page.
pub async fn render(uri: Uri, mut response: Response) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return problem.respond(uri.path());
    }
    let status = response.status();
    if status == StatusCode::REQUEST_TIMEOUT {
        let detail = "The request took too long to arrive or to be answered.";
        return Problem::new(status, "Too slow", detail).respond(uri.path());
    }
    // The rejections of axum's extractors are plain text.
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|v| v.as_bytes().starts_with(b"text/plain"));
    if (status.is_client_error() || status.is_server_error()) && plain {
        let body = std::mem::take(response.body_mut());
        let text = axum::body::to_bytes(body, 4096).await.unwrap_or_default();
        let title = status.canonical_reason().unwrap_or("Error");
        return Problem::new(status, title, String::from_utf8_lossy(&text)).respond(uri.path());
    }
    response
}

/// The answer for an unknown path.
pub async fn no_such_page(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "No such page",
        format!("There is nothing at {}.", uri.path()),
    )
}

/// The answer for a method that a path does not support.
pub async fn no_such_method(request: Request<Body>) -> Problem {
    let detail = format!(
        "{} does not take {}.",
        request.uri().path(),
        request.method()
    );
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}

/// The answer when a handler panics, which is a defect.
pub fn of_panic(panic: Box<dyn Any + Send>) -> Response {
    tracing::error!(message = panics::message(&*panic), "a handler panicked");
    let detail = "This is a defect in Vivarium; its log says more.";
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The server failed",
        detail,
    )
    .into_response()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for this signature"
)]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_server_are_answered_as_such() {
        let json = serde_json::from_str::<u8>("x").unwrap_err();
        let index = Error::IndexFile {
            path: "index.sqlite".into(),
            message: "disk I/O error".to_owned(),
        };
        for (error, detail) in [
            (Error::json("an answer", json), "an answer: expected value"),
            (index, "index.sqlite: disk I/O error"),
            (
                Error::system(
                    "cannot start a thread",
                    std::io::ErrorKind::WouldBlock.into(),
                ),
                "cannot start a thread: ",
            ),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(problem.detail.starts_with(detail), "{}", problem.detail);
        }
    }
}
