//! ETags: a client that has the current version gets a 304 without a body.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// How a browser may use its copy.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caching {
    /// It checks each time whether the copy is current.
    Revalidate,
    /// It never checks: the content of this URL does not change.
    Immutable,
}

/// The ETag of an answer, with its caching.
pub(super) struct ETag {
    tag: String,
    caching: Caching,
}

impl ETag {
    /// An ETag of `version`, which must not contain quotes.
    pub(super) fn new(version: impl std::fmt::Display, caching: Caching) -> Self {
        let tag = format!("\"{version}\"");
        Self { tag, caching }
    }

    /// The 304 for a client that has this version already.
    pub(super) fn not_modified(&self, request: &HeaderMap) -> Option<Response> {
        self.is_known(request)
            .then(|| (StatusCode::NOT_MODIFIED, self.headers()).into_response())
    }

    /// The answer with its body.
    pub(super) fn respond(&self, content_type: &str, body: impl Into<Body>) -> Response {
        let content_type = [(header::CONTENT_TYPE, content_type)];
        (self.headers(), content_type, body.into()).into_response()
    }

    /// Whether `If-None-Match` names this version, alone or in a list. The comparison is weak (RFC 9110, 8.8.3.2): proxies
    /// that compress an answer make its tag weak.
    fn is_known(&self, request: &HeaderMap) -> bool {
        let values = request.get_all(header::IF_NONE_MATCH).iter();
        let mut tags = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.tag)
    }

    fn headers(&self) -> [(header::HeaderName, &str); 2] {
        let control = match self.caching {
            Caching::Revalidate => "no-cache",
            Caching::Immutable => "private, max-age=31536000, immutable",
        };
        [(header::ETAG, &self.tag), (header::CACHE_CONTROL, control)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_alone_in_a_list_and_weak() {
        let etag = ETag::new("b7", Caching::Revalidate);
        for (value, known) in [
            ("\"b7\"", true),
            ("W/\"b7\"", true),
            ("\"a\", W/\"b7\"", true),
            ("*", true),
            ("\"b\"", false),
            ("b7", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            assert_eq!(etag.not_modified(&headers).is_some(), known, "{value}");
        }
        assert!(etag.not_modified(&HeaderMap::new()).is_none());
    }
}
