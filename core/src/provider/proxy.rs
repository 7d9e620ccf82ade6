//! A proxy between Penstock and a provider, as one URL.
//!
//! The URL may name a user but never the password, which is a secret and travels apart. What cannot be understood is
//! refused when it is configured: a proxy that is ignored would show the provider the address that it was to hide.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::url::split_port;

/// `scheme://[user@]host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutboundProxy {
    pub scheme: ProxyScheme,
    /// A name or an address; one of IPv6 stands in brackets.
    pub host: String,
    pub port: u16,
    /// Decoded.
    pub username: Option<String>,
}

/// How the proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyScheme {
    /// CONNECT over a plain connection.
    Http,
    /// CONNECT inside TLS.
    Https,
    /// SOCKS5; names are looked up here.
    Socks5,
    /// SOCKS5; names are looked up by the proxy.
    Socks5h,
}

/// Why a text is no proxy. Never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseProxyError {
    #[error("must begin with http://, https://, socks5:// or socks5h://")]
    Scheme,
    #[error("must not contain a password; it is given apart, as the proxy's password")]
    Password,
    #[error("names a user that cannot be sent: 1 to 255 bytes, without control characters and \":\"")]
    Username,
    #[error("is scheme, host and port only; there is no path, query or fragment at a proxy")]
    Path,
    #[error("names no host")]
    Host,
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
}

/// The longest that SOCKS5 can carry.
const MAX_USERNAME: usize = 255;

impl ProxyScheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

impl FromStr for OutboundProxy {
    type Err = ParseProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(ParseProxyError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyScheme::Http,
            "https" => ProxyScheme::Https,
            "socks5" => ProxyScheme::Socks5,
            "socks5h" => ProxyScheme::Socks5h,
            _ => return Err(ParseProxyError::Scheme),
        };
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let username = user.map(read_username).transpose()?;
        let place = place.strip_suffix('/').unwrap_or(place);
        if place.contains(['/', '?', '#']) {
            return Err(ParseProxyError::Path);
        }
        let (host, port) = split_port(place);
        if !is_host(host) {
            return Err(ParseProxyError::Host);
        }
        let port = match port {
            None => scheme.default_port(),
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or(ParseProxyError::Port)?,
        };
        Ok(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
            username,
        })
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|inside| inside.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
            (1..=253).contains(&host.len()) && host.bytes().all(plain)
        }
    }
}

fn read_username(text: &str) -> Result<String, ParseProxyError> {
    if text.contains(':') {
        return Err(ParseProxyError::Password);
    }
    let name = percent_decoded(text).ok_or(ParseProxyError::Username)?;
    let fits =
        (1..=MAX_USERNAME).contains(&name.len()) && !name.contains(|c: char| c == ':' || c.is_control());
    fits.then_some(name).ok_or(ParseProxyError::Username)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    decoded.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let digits = part.get(..2)?;
        decoded.extend(hex::decode(digits).ok()?);
        decoded.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

impl fmt::Display for OutboundProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        if let Some(username) = &self.username {
            for byte in username.bytes() {
                match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    true => write!(f, "{}", char::from(byte))?,
                    false => write!(f, "%{byte:02X}")?,
                }
            }
            f.write_str("@")?;
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl TryFrom<String> for OutboundProxy {
    type Error = ParseProxyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OutboundProxy> for String {
    fn from(proxy: OutboundProxy) -> Self {
        proxy.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b10_proxies_are_read_as_they_are_written() {
        for (text, written) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("https://Proxy.example", "https://proxy.example:443"),
            ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://me@[::1]:9/", "socks5h://me@[::1]:9"),
            ("http://a%40b.c@h:1", "http://a%40b.c@h:1"),
        ] {
            assert_eq!(text.parse::<OutboundProxy>().unwrap().to_string(), written);
        }
        let user = "http://a%40b.c@h:1".parse::<OutboundProxy>().unwrap().username;
        assert_eq!(user.as_deref(), Some("a@b.c"));
    }

    #[test]
    fn b10_a_malformed_proxy_is_refused() {
        for text in [
            "",
            "proxy.example:3128",
            "socks4://h:1",
            "http://",
            "http://h:0",
            "http://h:x",
            "http://h:1/path",
            "http://h h:1",
            "http://[::1:1",
            "http://@h:1",
            "http://%zz@h:1",
        ] {
            assert!(text.parse::<OutboundProxy>().is_err(), "{text}");
        }
    }

    #[test]
    fn f01_a_password_in_the_url_is_refused_and_not_quoted() {
        let refused = "http://me:hunter2@h:1".parse::<OutboundProxy>().unwrap_err();
        assert_eq!(refused, ParseProxyError::Password);
        assert!(!refused.to_string().contains("hunter2"));
    }
}
