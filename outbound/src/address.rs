//! Which addresses may be dialled.
//!
//! Link-local and cloud metadata addresses are never dialled: what answers there gives out the machine's own
//! credentials. Loopback and private addresses are fine for providers, since many are relays in the same network; what
//! is named by a file that somebody else made must be public.
//!
//! An IPv4 address can be written inside an IPv6 one (mapped, compatible, 6to4, NAT64, Teredo); it is taken out before
//! it is judged, so that the rule cannot be walked around.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that is never dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForbiddenAddress {
    /// Never.
    #[error("{0} is a link-local, metadata or multicast address, which is never dialled")]
    Never(IpAddr),
    /// Only where the operator says so.
    #[error("{0} is a loopback or private address, and only public ones are dialled here")]
    Inside(IpAddr),
    /// As `127.1`, `0x7f000001` or `2130706433`.
    #[error(
        "the host is a number, but no address as it is usually written; write it as 192.0.2.1 or [2001:db8::1]"
    )]
    Odd,
}

/// Which addresses may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Also loopback and private ones.
    Local,
    /// Of the public web only.
    Public,
}

/// Metadata services outside the link-local ranges: Azure, Alibaba, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// Google. Amazon has a range, `fd00:ec2::/32`.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254);

impl Reach {
    /// Whether an address may be dialled.
    pub fn check(self, address: IpAddr) -> Result<(), ForbiddenAddress> {
        let (forbidden, inside) = match address {
            IpAddr::V4(v4) => (is_forbidden_v4(v4), is_inside_v4(v4)),
            IpAddr::V6(v6) => {
                let inner = inner_v4(v6);
                (
                    is_forbidden_v6(v6) || inner.is_some_and(is_forbidden_v4),
                    is_inside_v6(v6) || inner.is_some_and(is_inside_v4),
                )
            }
        };
        match self {
            _ if forbidden => Err(ForbiddenAddress::Never(address)),
            Self::Public if inside => Err(ForbiddenAddress::Inside(address)),
            Self::Local | Self::Public => Ok(()),
        }
    }
}

impl Reach {
    /// Whether the host of a URL may be asked for, as far as its text tells. Whoever looks names up (a proxy may be the
    /// one) takes more for an address than is written as one, so numbers that are none are refused.
    pub fn check_host(self, host: &str) -> Result<(), ForbiddenAddress> {
        match literal(host) {
            Some(address) => self.check(address),
            None if ends_in_number(host) => Err(ForbiddenAddress::Odd),
            None => Ok(()),
        }
    }
}

/// As the standard of URLs tells addresses from names.
fn ends_in_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    digits || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The host of a URL, if it is written as an address, also with the dot behind it that ends a name.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
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

fn is_inside_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    address.is_loopback()
        || address.is_private()
        || address.is_unspecified()
        || a == 0
        || shared
        || benchmark
        || a >= 240
}

fn is_inside_v6(address: Ipv6Addr) -> bool {
    let site_local = address.segments()[0] & 0xffc0 == 0xfec0;
    address.is_loopback() || address.is_unspecified() || address.is_unique_local() || site_local
}

fn is_forbidden_v6(address: Ipv6Addr) -> bool {
    let of_amazon = address.segments().starts_with(&[0xfd00, 0x0ec2]);
    address.is_unicast_link_local() || address.is_multicast() || of_amazon || address == METADATA_V6
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
        Reach::Local.check(literal(address).unwrap()).is_ok()
    }

    #[test]
    fn s02_where_only_the_public_web_may_be_dialled_nothing_inside_is() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
            "fd12::1",
            "::ffff:10.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:0a00:0001::1",
            "169.254.169.254",
        ] {
            assert!(
                Reach::Public.check(literal(address).unwrap()).is_err(),
                "{address}"
            );
        }
        for address in ["160.79.104.10", "2607:6bc0::10", "172.32.0.1", "100.128.0.1"] {
            assert!(
                Reach::Public.check(literal(address).unwrap()).is_ok(),
                "{address}"
            );
        }
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
            "fd00:ec2::23",
            "169.254.169.254.",
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

    #[test]
    fn s02_numbers_that_lookups_take_for_addresses_are_refused() {
        for host in [
            "127.1",
            "0x7f000001",
            "2130706433",
            "0251.0376.0251.0376",
            "169.254.43518",
            "0xa9.0xfe.0xa9.0xfe",
            "169.254.169.254.",
            "1.2.3.4.5",
            "metadata.0x",
        ] {
            assert!(Reach::Local.check_host(host).is_err(), "{host}");
        }
        for host in [
            "api.example",
            "api.example.",
            "4.example",
            "0xbeef.example",
            "192.0.2.1",
            "[2001:db8::1]",
        ] {
            assert!(Reach::Local.check_host(host).is_ok(), "{host}");
        }
    }
}
