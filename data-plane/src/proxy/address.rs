//! Where a caller is (security 8).
//!
//! The address is the TCP peer's, unless the peer is a proxy that the operator trusts (`--trusted-proxy`). Then
//! `x-forwarded-for` or `forwarded` is read from its right end, which the nearest proxy wrote: addresses of trusted
//! proxies are passed over, and the first other one is the caller. What stands further left is the caller's own word
//! and is never looked at.
//!
//! Edge cases: an entry that cannot be read, whatever bytes it is of, makes the address unknown, and so does a chain that is
//! too long. When both headers are there and say different things, one of them passed through a proxy that does not write
//! it, so the address is unknown, too. It never becomes the proxy's own, which rules may allow: rules on addresses refuse who
//! is nowhere. Without either header the call is the proxy's own. IPv4 in IPv6 is IPv4 everywhere.
//!
//! The guard against guessing keys counts an IPv6 address by its /64, since whoever has one has the whole of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderMap;

use crate::config::Cidr;

/// More proxies in a row than this are not followed.
const MAX_HOPS: usize = 32;

/// What the guard against guessing counts as one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum GuardKey {
    V4(Ipv4Addr),
    /// The upper half of an address.
    V6(u64),
    /// All whose address is unknown.
    Unknown,
}

/// The caller's address; None: unknown.
pub(super) fn of_caller(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    let is_trusted = |address| trusted.iter().any(|range| range.contains(address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let follow = |name, read: fn(&str) -> Option<IpAddr>| {
        headers
            .contains_key(name)
            .then(|| rightmost(headers, name, read, is_trusted))
    };
    let (plain, standard) = (
        follow("x-forwarded-for", address),
        follow("forwarded", forwarded_for),
    );
    match (plain, standard) {
        (Some(one), Some(other)) => one.filter(|_| one == other),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => Some(peer),
    }
}

/// What the guard counts this address as.
pub(super) fn guard_key(address: Option<IpAddr>) -> GuardKey {
    match address.map(|address| address.to_canonical()) {
        None => GuardKey::Unknown,
        Some(IpAddr::V4(v4)) => GuardKey::V4(v4),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            let upper = [a, b, c, d]
                .into_iter()
                .fold(0, |upper, part| upper << 16 | u64::from(part));
            GuardKey::V6(upper)
        }
    }
}

/// The rightmost entry that is no trusted proxy; the leftmost one where all are.
fn rightmost(
    headers: &HeaderMap,
    name: &str,
    read: fn(&str) -> Option<IpAddr>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let mut entries = lines
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let mut last = None;
    for _ in 0..MAX_HOPS {
        let Some(entry) = entries.next() else { return last };
        // A byte that is no text spoils its own entry and no other.
        let entry = std::str::from_utf8(entry.trim_ascii()).ok()?;
        let found = read(entry)?;
        if !is_trusted(found) {
            return Some(found);
        }
        last = Some(found);
    }
    None
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || {
        text.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<Ipv6Addr>()
            .ok()
    };
    let found = text.parse().ok();
    let found = found.or_else(|| bare().map(IpAddr::V6));
    let found = found.or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    found.map(|address| address.to_canonical())
}

/// The one `for` of an entry such as `for="[2001:db8::1]:80";proto=https`.
fn forwarded_for(entry: &str) -> Option<IpAddr> {
    let mut names = entry.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let (value, None) = (names.next()?, names.next()) else {
        return None;
    };
    let quoted = || value.strip_prefix('"')?.strip_suffix('"');
    address(quoted().unwrap_or(value))
}

impl fmt::Display for GuardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(v4) => v4.fmt(f),
            Self::V6(upper) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(*upper) << 64)),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests;
