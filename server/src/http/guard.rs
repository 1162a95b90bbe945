//! The outermost layer: denies every request that it does not know to be meant for this server.
//!
//! 1. The `Host` must be on the allow-list: a name that an attacker points at this address
//!    (DNS rebinding) is not.
//! 2. Where a token is set, the request must carry it, in a cookie or as a bearer.
//! 3. What changes state must not come from another site.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::problem::Problem;

/// A token has at least 128 bits: 22 characters of base64, or 32 hexadecimal digits.
pub const TOKEN_AT_LEAST: usize = 22;

const COOKIE: &str = "vivarium_session";

/// Who may ask.
#[derive(Debug)]
pub struct Guard {
    hosts: HashSet<String>,
    /// Digests, because those have one length and comparing them tells nothing.
    token: Option<[u8; 32]>,
    session: String,
}

impl Guard {
    /// Admits requests to `address` and to the names in `allowed`, with `token` if one is set.
    pub fn new(address: SocketAddr, allowed: &[String], token: Option<&str>) -> Self {
        let mut hosts: HashSet<String> = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .into();
        if !address.ip().is_unspecified() {
            hosts.insert(match address.ip() {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            });
        }
        hosts.extend(allowed.iter().map(|host| host.to_ascii_lowercase()));
        let digest = token.map(digest);
        // The cookie is not the token: who reads a cookie jar cannot sign in elsewhere with it.
        let session = token
            .map(|t| hex(&digest_of(&["vivarium session", t])))
            .unwrap_or_default();
        Self {
            hosts,
            token: digest,
            session,
        }
    }

    fn check_host(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(|authority| authority.as_str()))
            .unwrap_or_default();
        let name = without_port(host).to_ascii_lowercase();
        if self.hosts.contains(&name) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Host not allowed",
            format!(
                "This server does not answer to the name “{name}”. Start it with --allow-host {name} if it should."
            ),
        ))
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|given| digest(given).ct_eq(token).into());
        bearer
            || cookies(headers).any(|(name, value)| {
                name == COOKIE && bool::from(digest(value).ct_eq(&digest(&self.session)))
            })
    }

    /// A page asked for with the token in its address: the answer that sets the cookie and goes
    /// on without it.
    fn sign_in(&self, method: &Method, uri: &Uri) -> Option<Response> {
        let token = self.token.as_ref()?;
        let query = uri.query()?;
        let given = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("token="))?;
        if method != Method::GET || !bool::from(digest(given).ct_eq(token)) {
            return None;
        }
        let rest: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.starts_with("token="))
            .collect();
        let location = match rest.join("&") {
            rest if rest.is_empty() => uri.path().to_owned(),
            rest => format!("{}?{rest}", uri.path()),
        };
        // Two slashes at the beginning would lead to another host.
        let location = format!("/{}", location.trim_start_matches('/'));
        let cookie = format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000",
            self.session
        );
        let mut response = StatusCode::SEE_OTHER.into_response();
        response
            .headers_mut()
            .insert(header::LOCATION, HeaderValue::from_str(&location).ok()?);
        response
            .headers_mut()
            .insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
        Some(response)
    }
}

/// Lets a request through, or answers it.
pub async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if let Err(problem) = guard.check_host(headers, uri) {
        return problem.respond(uri.path());
    }
    if let Some(response) = guard.sign_in(method, uri) {
        return response;
    }
    if !guard.has_token(headers) {
        let detail =
            "Open the address that the server printed when it started: it holds the token.";
        return Problem::new(StatusCode::UNAUTHORIZED, "Token needed", detail).respond(uri.path());
    }
    if let Err(problem) = check_origin(method, headers) {
        return problem.respond(uri.path());
    }
    next.run(request).await
}

/// Browsers say where a request comes from; what says nothing is no browser.
fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let refused =
        |detail: String| Problem::new(StatusCode::FORBIDDEN, "Cross-site request", detail);
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site")
        && site != "same-origin"
    {
        return Err(refused(format!(
            "A request that changes something must come from this site, not {site}."
        )));
    }
    if let Some(origin) = text("origin") {
        let own = format!("http://{}", text("host").unwrap_or_default());
        if origin != own {
            return Err(refused(format!(
                "A request that changes something must come from {own}, not from {origin}."
            )));
        }
    }
    Ok(())
}

fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        // In an address of IPv6 the last colon counts only behind the bracket.
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split("; "))
        .filter_map(|pair| pair.split_once('='))
}

fn digest(text: &str) -> [u8; 32] {
    digest_of(&[text])
}

fn digest_of(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_cut_from_names_and_addresses() {
        for (host, name) in [
            ("localhost:7878", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("", ""),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
