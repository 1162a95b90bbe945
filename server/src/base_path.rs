//! The path below which a proxy serves the site: `--base-path /vivarium`.
//!
//! A process serves one site, so this is set once, before the first request. Addresses that leave the server (links,
//! `url` fields, `Location`, cookies) go through [`url`]; the browser's modules derive the same path from where they
//! were loaded. Requests are accepted with the path and without it, because some proxies pass it on and others strip
//! it.

use std::str::FromStr;
use std::sync::OnceLock;

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

static BASE: OnceLock<BasePath> = OnceLock::new();

/// The first segments of the server's own paths. A site below one of them could not tell whether a proxy has stripped
/// the path.
const OWN: [&str; 13] = [
    "api",
    "compare",
    "data",
    "favicon.ico",
    "frontend",
    "healthz",
    "metrics",
    "networks",
    "new",
    "reports",
    "runs",
    "static",
    "sweeps",
];

/// A path without a trailing slash; empty for a site at the root of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim_end_matches('/');
        if path.is_empty() {
            return Ok(Self::default());
        }
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
        let segments = path.strip_prefix('/').map(|rest| rest.split('/'));
        let Some(mut segments) = segments.filter(|each| each.clone().all(is_segment)) else {
            return Err(
                "must begin with a slash and have letters, digits, - . _ ~ between slashes: /vivarium"
                    .to_owned(),
            );
        };
        match segments.next() {
            Some(first) if OWN.contains(&first) => Err(format!(
                "must not begin with one of the server's own paths ({})",
                OWN.join(", ")
            )),
            _ => Ok(Self(path.to_owned())),
        }
    }
}

impl BasePath {
    /// Joins a path of the site to this one.
    fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The part of a request's URI below this path; `None` where it is elsewhere.
    fn strip(&self, uri: &Uri) -> Option<Uri> {
        let rest = uri.path().strip_prefix(&self.0)?;
        if !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        let path = if rest.is_empty() { "/" } else { rest };
        let target = match uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// Sets the path of the site. Only the first call has an effect.
pub fn set(base: BasePath) {
    let _ = BASE.set(base);
}

/// The URL under which a browser requests `path`, which begins with a slash.
pub fn url(path: &str) -> String {
    match BASE.get() {
        Some(base) => base.join(path),
        None => path.to_owned(),
    }
}

/// Strips the path from a request that has it.
pub async fn strip(mut request: Request) -> Request {
    if let Some(uri) = BASE.get().and_then(|base| base.strip(request.uri())) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_read_and_joined() {
        for (text, joined) in [
            ("", "/new"),
            ("/", "/new"),
            ("/vivarium", "/vivarium/new"),
            ("/vivarium/", "/vivarium/new"),
            ("/labs/a-1/v.2", "/labs/a-1/v.2/new"),
        ] {
            assert_eq!(text.parse::<BasePath>().unwrap().join("/new"), joined);
        }
        for text in [
            "vivarium",
            "//evil.example",
            "/a//b",
            "/a/../b",
            "/a b",
            "/a?b",
            "/a\"><script>",
            "/ü",
            "https://lab.example/vivarium",
            "/api",
            "/runs/vivarium",
        ] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_is_taken_off_where_it_is_there() {
        let base: BasePath = "/vivarium".parse().unwrap();
        let strip = |uri: &str| base.strip(&uri.parse().unwrap()).map(|uri| uri.to_string());
        for (uri, expected) in [
            ("/vivarium", Some("/")),
            ("/vivarium/", Some("/")),
            ("/vivarium?token=x", Some("/?token=x")),
            ("/vivarium/runs/a?b=c%20d", Some("/runs/a?b=c%20d")),
            ("/vivarium//evil.example", Some("//evil.example")),
            ("/vivariums/runs", None),
            ("/runs/vivarium", None),
        ] {
            assert_eq!(strip(uri).as_deref(), expected, "{uri}");
        }
    }
}
