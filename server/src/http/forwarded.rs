//! The original request as a proxy describes it: `Forwarded` (RFC 7239), or `X-Forwarded-Host` and `X-Forwarded-Proto`.
//! Any client can send these headers, so they are read only with `--trust-proxy`.

use axum::http::HeaderMap;

/// The request as the proxy saw it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// The host in the browser's request.
    pub(super) host: Option<String>,
    /// Whether the browser uses TLS.
    pub(super) https: bool,
}

impl Forwarded {
    /// Reads the headers. In a chain of proxies the last entry is from the nearest one, which is trusted; the others
    /// may be whatever the client sent.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let last = |name: &str| {
            let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
            line.rsplit(',').next().map(str::trim)
        };
        if let Some(element) = last("forwarded") {
            let of = |name: &str| {
                let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
                pairs
                    .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().trim_matches('"'))
            };
            return Self {
                host: of("host").map(str::to_owned),
                https: of("proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            };
        }
        Self {
            host: last("x-forwarded-host").map(str::to_owned),
            https: last("x-forwarded-proto")
                .is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn read(lines: &[(&'static str, &'static str)]) -> (Option<String>, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let Forwarded { host, https } = Forwarded::read(&headers);
        (host, https)
    }

    #[test]
    fn the_nearest_proxy_is_believed() {
        let lab = Some("lab.example:8443".to_owned());
        for (lines, expected) in [
            (&[][..], (None, false)),
            (
                &[
                    ("x-forwarded-host", "evil.example, lab.example:8443"),
                    ("x-forwarded-proto", "http,https"),
                ],
                (lab.clone(), true),
            ),
            (
                &[
                    ("x-forwarded-host", "evil.example"),
                    ("x-forwarded-host", "lab.example:8443"),
                    ("x-forwarded-proto", "HTTP"),
                ],
                (lab.clone(), false),
            ),
            (
                &[(
                    "forwarded",
                    "for=10.0.0.1;host=evil.example, for=\"[fd00::5]:80\";Proto=https; Host=\"lab.example:8443\"",
                )],
                (lab, true),
            ),
        ] {
            assert_eq!(read(lines), expected, "{lines:?}");
        }
    }
}
