//! How connections to providers are made.

use penstock_core::invalid::Invalid;
use penstock_core::provider::{Outbound, OutboundProxy};

use super::enums::{address_family_from_wire, address_family_to_wire};
use crate::config::v1 as wire;

/// None for the defaults.
pub(super) fn outbound_to_wire(outbound: &Outbound) -> Option<wire::Outbound> {
    (*outbound != Outbound::default()).then(|| wire::Outbound {
        proxy: outbound
            .proxy
            .as_ref()
            .map(OutboundProxy::to_string)
            .unwrap_or_default(),
        fallback_to_direct: outbound.fallback_to_direct,
        address_family: outbound.address_family.map_or(0, address_family_to_wire),
        ca_pem: outbound.ca_pem.clone(),
        http2: Some(outbound.http2),
    })
}

/// A malformed proxy is refused, and a password in its URL is not quoted.
pub(super) fn outbound_from_wire(outbound: Option<wire::Outbound>) -> Result<Outbound, Invalid> {
    let Some(outbound) = outbound else {
        return Ok(Outbound::default());
    };
    let proxy = match outbound.proxy.as_str() {
        "" => None,
        text => {
            let read: Result<OutboundProxy, _> = text.parse();
            Some(read.map_err(|e| Invalid::new("outbound.proxy", e.to_string()))?)
        }
    };
    Ok(Outbound {
        proxy,
        fallback_to_direct: outbound.fallback_to_direct,
        address_family: match outbound.address_family {
            0 => None,
            value => Some(address_family_from_wire("outbound.address_family", value)?),
        },
        ca_pem: outbound.ca_pem,
        http2: outbound.http2.unwrap_or(true),
    })
}
