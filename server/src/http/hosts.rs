//! Hosts and ports of this server, as in `Host`, `Origin` and `--allow-host`.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The allowed values, for error messages.
const ALLOWED: &str = "must be a name or an address, with or without a port: lab.example, lab.example:8443, 192.168.1.5 or [fd00::5]:8443";

/// A host and an optional port: `lab.example:8443`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    /// In lowercase; an IPv6 address in brackets, in its canonical form.
    pub name: String,
    /// The port.
    pub port: Option<u16>,
}

impl FromStr for Authority {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let hint = if text.contains("://") {
                "; leave out the scheme and what follows the host"
            } else if !text.is_ascii() {
                "; write other letters as browsers send them, as xn--…"
            } else {
                ""
            };
            format!("{ALLOWED}{hint}")
        };
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self {
                name: format!("[{address}]"),
                port: None,
            });
        }
        let (name, port) = match text.rsplit_once(':') {
            // In an IPv6 address only a colon after the bracket precedes the port.
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (text, None),
        };
        let port = match port {
            Some(port) if port.bytes().all(|c| c.is_ascii_digit()) => {
                Some(port.parse().map_err(|_| wrong())?)
            }
            Some(_) => return Err(wrong()),
            None => None,
        };
        let name = if let Some(address) = name.strip_prefix('[') {
            let address = address.strip_suffix(']').ok_or_else(wrong)?;
            let address: Ipv6Addr = address.parse().map_err(|_| wrong())?;
            format!("[{address}]")
        } else {
            let is_name = |c: u8| c.is_ascii_alphanumeric() || b"-._".contains(&c);
            if name.is_empty() || !name.bytes().all(is_name) {
                return Err(wrong());
            }
            name.to_ascii_lowercase()
        };
        Ok(Self { name, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A parsed `Origin` header.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    authority: Authority,
    /// The default port of the scheme.
    default_port: u16,
}

impl Origin {
    /// Parses the header; `None` for `null` and for anything but the origin of a web page.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, default_port) = if let Some(rest) = text.strip_prefix("https://") {
            (rest, 443)
        } else {
            (text.strip_prefix("http://")?, 80)
        };
        Some(Self {
            authority: rest.parse().ok()?,
            default_port,
        })
    }

    /// Whether it has the host and port of `own`, with any scheme: a proxy may terminate TLS.
    pub fn is(&self, own: &Authority) -> bool {
        let port = |of: &Authority| of.port.unwrap_or(self.default_port);
        self.authority.name == own.name && port(&self.authority) == port(own)
    }
}

/// The hosts that this server answers to.
#[derive(Debug)]
pub struct Hosts {
    names: HashSet<String>,
    allowed: Vec<Authority>,
}

impl Hosts {
    /// The names of the loopback interface, the address that is listened on, and the allowed hosts.
    pub fn new(address: SocketAddr, allowed: &[Authority]) -> Self {
        let mut own: Vec<_> = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .into();
        if !address.ip().is_unspecified() {
            own.push(match address.ip() {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            });
        }
        let own = own.into_iter().map(|name| Authority {
            name,
            port: Some(address.port()),
        });
        let allowed: Vec<_> = own.chain(allowed.iter().cloned()).collect();
        Self {
            names: allowed.iter().map(|host| host.name.clone()).collect(),
            allowed,
        }
    }

    /// Whether requests to this name are for this server. Some proxies pass the port on and some do not.
    pub fn answers_to(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether pages of this origin are this server's, by host and port.
    pub fn has_origin(&self, origin: &Origin) -> bool {
        self.allowed.iter().any(|own| origin.is(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(name: &str, port: Option<u16>) -> Authority {
        Authority {
            name: name.to_owned(),
            port,
        }
    }

    #[test]
    fn hosts_are_read_with_and_without_a_port() {
        for (text, name, port) in [
            ("localhost:7878", "localhost", Some(7878)),
            ("LOCALHOST", "localhost", None),
            ("[::1]:80", "[::1]", Some(80)),
            ("[0:0:0:0:0:0:0:1]", "[::1]", None),
            ("fd00::5", "[fd00::5]", None),
            ("127.0.0.1:1", "127.0.0.1", Some(1)),
            ("lab_2.example", "lab_2.example", None),
        ] {
            assert_eq!(text.parse(), Ok(authority(name, port)), "{text}");
        }
    }

    #[test]
    fn what_can_never_match_is_refused_with_what_is_allowed() {
        for text in [
            "",
            "https://lab.example",
            "lab.example/vivarium",
            "lab.example:",
            "lab.example:70000",
            "lab.example:+80",
            "user@lab.example",
            "*.example",
            "lab example",
            "[::1",
            "bücher.example",
            ":80",
        ] {
            let refused = text.parse::<Authority>();
            assert!(
                refused.as_ref().is_err_and(|why| why.contains(ALLOWED)),
                "{text}: {refused:?}"
            );
        }
    }

    #[test]
    fn origins_are_compared_by_host_and_port() {
        let is = |origin: &str, own: &str| {
            Origin::parse(origin).is_some_and(|origin| origin.is(&own.parse().unwrap()))
        };
        for (origin, own) in [
            ("https://lab.example", "lab.example"),
            ("https://lab.example", "lab.example:443"),
            ("http://lab.example:80", "lab.example"),
            ("https://LAB.example:8443", "lab.example:8443"),
            ("http://[::1]:7878", "[::1]:7878"),
        ] {
            assert!(is(origin, own), "{origin} {own}");
        }
        for (origin, own) in [
            ("https://lab.example:8443", "lab.example"),
            ("https://lab.example", "lab.example:80"),
            ("http://lab.example:3000", "lab.example:7878"),
            ("https://evil.example", "lab.example"),
            ("https://lab.example.evil.example", "lab.example"),
            ("null", "lab.example"),
            ("lab.example", "lab.example"),
            ("ftp://lab.example", "lab.example"),
            ("https://lab.example/", "lab.example"),
            ("https://user@lab.example", "lab.example"),
            ("https://lab.example https://lab.example", "lab.example"),
        ] {
            assert!(!is(origin, own), "{origin} {own}");
        }
    }
}
