//! How connections to a provider are made.

use penstock_core::provider::{AddressFamily, Outbound as Core, OutboundProxy};
use serde::Serialize;

/// Of the proxy's password only whether there is one.
#[derive(Debug, Serialize)]
pub(crate) struct Outbound {
    pub proxy: Option<String>,
    pub has_proxy_password: bool,
    pub fallback_to_direct: bool,
    /// None: ipv4 through a proxy, else any.
    pub address_family: Option<&'static str>,
    pub ca_pem: String,
    pub http2: bool,
}

impl Outbound {
    pub(super) fn read(outbound: Core, has_proxy_password: bool) -> Self {
        Self {
            proxy: outbound.proxy.as_ref().map(OutboundProxy::to_string),
            has_proxy_password,
            fallback_to_direct: outbound.fallback_to_direct,
            address_family: outbound.address_family.map(AddressFamily::as_str),
            ca_pem: outbound.ca_pem,
            http2: outbound.http2,
        }
    }

    pub(super) fn line(&self) -> String {
        let mut parts = Vec::new();
        if let Some(proxy) = &self.proxy {
            parts.push(format!("through {proxy}"));
        }
        if self.has_proxy_password {
            parts.push("with a password".to_owned());
        }
        if self.fallback_to_direct {
            parts.push("else direct".to_owned());
        }
        parts.extend(self.address_family.map(|family| format!("addresses {family}")));
        match self.ca_pem.matches("-----BEGIN CERTIFICATE-----").count() {
            0 => (),
            1 => parts.push("1 authority of its own".to_owned()),
            more => parts.push(format!("{more} authorities of its own")),
        }
        if !self.http2 {
            parts.push("no HTTP/2".to_owned());
        }
        match parts.is_empty() {
            true => "direct".to_owned(),
            false => parts.join(", "),
        }
    }
}
