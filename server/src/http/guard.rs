//! The outermost layer: refuses every request that is not known to be meant for this server.
//!
//! 1. The `Host` must be on the allow-list, which a name that an attacker points at this address (DNS rebinding) is
//!    not.
//! 2. If a token is set, the request must carry it, in a cookie or as a bearer token.
//! 3. A request that changes state must not come from another site.
//!
//! A header that decides any of this must not occur twice: two readers on the way could each use another one.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::forwarded::Forwarded;
use super::hosts::{Authority, Hosts, Origin};
use super::problem::Problem;
use crate::base_path;

/// A token has at least 128 bits: 22 characters of base64, or 32 hexadecimal digits.
pub const TOKEN_AT_LEAST: usize = 22;

const COOKIE: &str = "vivarium_session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Headers that decide, and may occur only once.
const ONCE: [HeaderName; 5] = [
    header::HOST,
    header::ORIGIN,
    SEC_FETCH_SITE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
];

/// Decides which requests are admitted.
#[derive(Debug)]
pub struct Guard {
    hosts: Hosts,
    /// A digest has a fixed length, so comparing it reveals nothing.
    token: Option<[u8; 32]>,
    session: String,
    /// Whether a proxy sets the forwarding headers.
    trust_proxy: bool,
}

impl Guard {
    /// Admits requests to `address` and to the hosts in `allowed`; requires `token` if one is set.
    pub fn new(
        address: SocketAddr,
        allowed: &[Authority],
        token: Option<&str>,
        trust_proxy: bool,
    ) -> Self {
        let digest = token.map(digest);
        // The cookie is not the token: whoever reads a cookie jar cannot sign in elsewhere with it.
        let session = token
            .map(|t| hex::encode(digest_of(&["vivarium session", t])))
            .unwrap_or_default();
        Self {
            hosts: Hosts::new(address, allowed),
            token: digest,
            session,
            trust_proxy,
        }
    }

    fn forwarded(&self, headers: &HeaderMap) -> Forwarded {
        if self.trust_proxy {
            Forwarded::read(headers)
        } else {
            Forwarded::default()
        }
    }

    /// Checks the hosts that the request names: its own, and the one that a proxy was asked for. Both must be this
    /// server's, because a page that rebinds its name to this address could also send the proxy's header.
    fn check_hosts(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        forwarded: &Forwarded,
    ) -> Result<Vec<Authority>, Problem> {
        let host = headers.get(header::HOST).map(text);
        let target = uri.authority().map(|authority| authority.as_str());
        let named = [host.or(target).unwrap_or_default()]
            .into_iter()
            .chain(target)
            .chain(forwarded.host.as_deref());
        named.map(|host| self.check_host(host)).collect()
    }

    fn check_host(&self, host: &str) -> Result<Authority, Problem> {
        let parsed = host.parse::<Authority>().ok();
        if let Some(host) = parsed
            .clone()
            .filter(|host| self.hosts.answers_to(&host.name))
        {
            return Ok(host);
        }
        let hint = parsed.map_or_else(String::new, |host| {
            format!(" Start it with --allow-host {host} if it should.")
        });
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Host not allowed",
            format!("This server does not answer to the name “{host}”.{hint}"),
        ))
    }

    /// Refuses requests from other sites. Browsers send the origin of a request; a client that sends none is not a
    /// browser.
    ///
    /// `Sec-Fetch-Site` is the browser's own judgement, which neither TLS nor another `Host` on the way can change.
    /// Browsers that do not send it (none does over plain HTTP to another machine) send an `Origin`, which must have a
    /// host and port of this server.
    fn check_site(
        &self,
        method: &Method,
        headers: &HeaderMap,
        hosts: &[Authority],
    ) -> Result<(), Problem> {
        if method.is_safe() {
            return Ok(());
        }
        let refused = |detail: String| {
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "Cross-site request",
                detail,
            ))
        };
        let origin = headers.get(header::ORIGIN).map(text);
        if origin == Some("null") {
            return refused(
                "A request that changes something must come from this site, not from a page without an origin."
                    .to_owned(),
            );
        }
        match headers.get(SEC_FETCH_SITE).map(text) {
            Some("same-origin") => return Ok(()),
            Some(site) => {
                return refused(format!(
                    "A request that changes something must come from this site, not {site}."
                ));
            }
            None => {}
        }
        let Some(origin) = origin else {
            return Ok(());
        };
        let is_own = |origin: Origin| {
            self.hosts.has_origin(&origin) || hosts.iter().any(|host| origin.is(host))
        };
        if Origin::parse(origin).is_some_and(is_own) {
            return Ok(());
        }
        let own = hosts.last().map_or_else(String::new, Authority::to_string);
        let name = origin.split_once("://").map_or(origin, |(_, host)| host);
        refused(format!(
            "A request that changes something must come from {own}, not from {origin}. If that is this server's address behind a proxy, start it with --allow-host {name}."
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

    /// The answer to a page that is requested with the token in its URL: it sets the cookie and redirects to the URL
    /// without the token.
    fn sign_in(&self, method: &Method, uri: &Uri, https: bool) -> Option<Response> {
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
        // Two leading slashes would lead to another host.
        let location = base_path::url(&format!("/{}", location.trim_start_matches('/')));
        let path = match base_path::url("") {
            base if base.is_empty() => "/".to_owned(),
            base => base,
        };
        let secure = if https { "; Secure" } else { "" };
        let cookie = format!(
            "{COOKIE}={}; Path={path}; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}",
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

/// Passes a request on, or answers it.
pub async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if let Err(problem) = check_single(headers) {
        return problem.respond(uri.path());
    }
    let forwarded = guard.forwarded(headers);
    let hosts = match guard.check_hosts(headers, uri, &forwarded) {
        Ok(hosts) => hosts,
        Err(problem) => return problem.respond(uri.path()),
    };
    if let Some(response) = guard.sign_in(method, uri, forwarded.https) {
        return response;
    }
    if !guard.has_token(headers) {
        let detail =
            "Open the address that the server printed when it started: it holds the token.";
        return Problem::new(StatusCode::UNAUTHORIZED, "Token needed", detail).respond(uri.path());
    }
    if let Err(problem) = guard.check_site(method, headers, &hosts) {
        return problem.respond(uri.path());
    }
    next.run(request).await
}

fn check_single(headers: &HeaderMap) -> Result<(), Problem> {
    let twice = ONCE
        .into_iter()
        .find(|name| headers.get_all(name).iter().nth(1).is_some());
    match twice {
        None => Ok(()),
        Some(name) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "Bad request",
            format!("The request has more than one header “{name}”."),
        )),
    }
}

/// A header as text; other bytes are neither a host nor an origin.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("?")
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
