//! Which addresses a provider may have.
//!
//! Link-local and cloud metadata addresses are never dialled: what answers there gives out the machine's own
//! credentials. Loopback and private addresses are fine, since many providers are relays in the same network.
//!
//! An IPv4 address can be written inside an IPv6 one (mapped, compatible, 6to4, NAT64, Teredo); it is taken out before
//! it is judged, so that the rule cannot be walked around.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that is never dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is a link-local, metadata or multicast address, which is never dialled")]
pub(crate) struct ForbiddenAddress(pub(crate) IpAddr);

/// Metadata services outside the link-local ranges: Azure, Alibaba, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// Amazon and Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

/// Whether an address may be dialled.
pub(crate) fn check(address: IpAddr) -> Result<(), ForbiddenAddress> {
    let forbidden = match address {
        IpAddr::V4(v4) => is_forbidden_v4(v4),
        IpAddr::V6(v6) => is_forbidden_v6(v6) || inner_v4(v6).is_some_and(is_forbidden_v4),
    };
    match forbidden {
        true => Err(ForbiddenAddress(address)),
        false => Ok(()),
    }
}

/// The host of a URL, if it is written as an address.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().ok()
}

fn is_forbidden_v4(address: Ipv4Addr) -> bool {
    address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || METADATA_V4.contains(&address)
}

fn is_forbidden_v6(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local() || address.is_multicast() || METADATA_V6.contains(&address)
}

/// The IPv4 address that an IPv6 address stands for.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let at = |shift: u32| Ipv4Addr::from(u32::try_from((bits >> shift) & 0xffff_ffff).unwrap_or_default());
    let starts = |prefix: [u16; 6]| address.segments().starts_with(&prefix);
    match address.segments() {
        [0x2002, ..] => Some(at(80)),
        // Teredo: the client's address, inverted.
        [0x2001, 0, ..] => Some(Ipv4Addr::from(!at(0).to_bits())),
        // NAT64 with a prefix of the network's own: the address is at one of a few places, this is the usual one.
        [0x64, 0xff9b, 1, ..] => Some(at(0)),
        _ if starts([0, 0, 0, 0, 0, 0xffff])
            || starts([0x64, 0xff9b, 0, 0, 0, 0])
            || starts([0, 0, 0, 0, 0xffff, 0])
            || starts([0; 6]) =>
        {
            Some(at(0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str) -> bool {
        check(literal(address).unwrap()).is_ok()
    }

    #[test]
    fn s02_metadata_and_link_local_addresses_are_never_dialled() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "168.63.129.16",
            "100.100.100.200",
            "fe80::1",
            "[fd00:ec2::254]",
            "224.0.0.1",
            "ff02::1",
        ] {
            assert!(!allowed(address), "{address}");
        }
    }

    #[test]
    fn s02_wrapping_an_address_does_not_help() {
        for address in [
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2001:0:0:0:0:0:5601:5601",
        ] {
            assert!(!allowed(address), "{address}");
        }
    }

    #[test]
    fn loopback_private_and_public_addresses_are_dialled() {
        for address in [
            "127.0.0.1",
            "::1",
            "10.0.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "160.79.104.10",
            "fd12::1",
        ] {
            assert!(allowed(address), "{address}");
        }
    }

    #[test]
    fn a_name_is_no_literal_address() {
        assert_eq!(literal("api.anthropic.com"), None);
        assert_eq!(literal("[::1]"), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    }
}
