//! How connections to a provider are made.

use serde::{Deserialize, Serialize};

use super::proxy::OutboundProxy;
use crate::invalid::Invalid;

/// Everything about a provider's connections but their timeout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbound {
    /// Its password is no part of this.
    pub proxy: Option<OutboundProxy>,
    /// A proxy that cannot be reached is bypassed. False: it is a network error.
    pub fallback_to_direct: bool,
    /// None: [`AddressFamily::Ipv4`] through a proxy, else [`AddressFamily::Any`].
    pub address_family: Option<AddressFamily>,
    /// Certificates of authorities that are trusted beside those of the public web. PEM; empty: none.
    pub ca_pem: String,
    /// Whether HTTP/2 is spoken where TLS negotiates it.
    pub http2: bool,
}

/// Which addresses of a name are dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressFamily {
    Any,
    Ipv4,
}

const MAX_CA_PEM: usize = 256 * 1024;

impl Default for Outbound {
    fn default() -> Self {
        Self {
            proxy: None,
            fallback_to_direct: false,
            address_family: None,
            ca_pem: String::new(),
            http2: true,
        }
    }
}

impl AddressFamily {
    pub const ALL: [Self; 2] = [Self::Any, Self::Ipv4];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ipv4 => "ipv4",
        }
    }
}

impl Outbound {
    /// Which addresses are dialled on the way through the proxy, or without one.
    pub fn family(&self, through_proxy: bool) -> AddressFamily {
        self.address_family.unwrap_or(match through_proxy {
            true => AddressFamily::Ipv4,
            false => AddressFamily::Any,
        })
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.fallback_to_direct && self.proxy.is_none() {
            return Err(Invalid::new("fallback_to_direct", "is of no use without a proxy"));
        }
        check_ca(&self.ca_pem)
    }
}

/// The form only; whether they are certificates is seen by whoever trusts them.
fn check_ca(pem: &str) -> Result<(), Invalid> {
    let refuse = |problem: &str| Err(Invalid::new("ca_pem", problem));
    if pem.is_empty() {
        return Ok(());
    }
    if pem.len() > MAX_CA_PEM {
        return refuse("is over 256 KB");
    }
    if pem.contains("PRIVATE KEY") {
        return refuse("holds a private key, which does not belong here; give certificates only");
    }
    let begins = pem.matches("-----BEGIN CERTIFICATE-----").count();
    if begins == 0 || begins != pem.matches("-----END CERTIFICATE-----").count() {
        return refuse("holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b10_ipv4_is_the_default_through_proxies_only() {
        let default = Outbound::default();
        assert_eq!(default.family(true), AddressFamily::Ipv4);
        assert_eq!(default.family(false), AddressFamily::Any);
        let any = Outbound {
            address_family: Some(AddressFamily::Any),
            ..default
        };
        assert_eq!(any.family(true), AddressFamily::Any);
    }

    #[test]
    fn f01_a_private_key_among_authorities_is_refused_and_not_quoted() {
        let outbound = Outbound {
            ca_pem: "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----".into(),
            ..Outbound::default()
        };
        let refused = outbound.validate().unwrap_err();
        assert_eq!(refused.field, "ca_pem");
        assert!(!refused.problem.contains("MC4CAQ"));
    }

    #[test]
    fn b10_a_fallback_needs_a_proxy() {
        let outbound = Outbound {
            fallback_to_direct: true,
            ..Outbound::default()
        };
        assert_eq!(outbound.validate().unwrap_err().field, "fallback_to_direct");
    }
}
