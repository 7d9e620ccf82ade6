//! Nobody chooses his own address.

use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

/// Behind a proxy at 10.0.0.1, with `10.0.0.0/8` and `fd00::/8` trusted.
fn behind(pairs: &[(&'static str, &str)]) -> String {
    shown(of_caller(ip("10.0.0.1"), &headers(pairs), &trusted()))
}

fn shown(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

fn trusted() -> Vec<Cidr> {
    ["10.0.0.0/8", "fd00::/8"]
        .map(|range| range.parse().unwrap())
        .to_vec()
}

#[test]
fn s08_only_a_trusted_proxy_is_believed() {
    let told = headers(&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")]);
    assert_eq!(
        of_caller(ip("203.0.113.9"), &told, &trusted()),
        Some(ip("203.0.113.9"))
    );
    assert_eq!(of_caller(ip("10.0.0.1"), &told, &[]), Some(ip("10.0.0.1")));
    assert_eq!(
        of_caller(ip("::ffff:10.0.0.1"), &told, &trusted()),
        Some(ip("192.0.2.1"))
    );
    assert_eq!(behind(&[]), "10.0.0.1");
}

#[test]
fn s08_the_rightmost_address_that_is_no_proxy_is_the_caller() {
    assert_eq!(
        behind(&[("x-forwarded-for", "1.1.1.1, 192.0.2.1, 10.0.0.2")]),
        "192.0.2.1"
    );
    assert_eq!(
        behind(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.1")]),
        "192.0.2.1"
    );
    assert_eq!(behind(&[("x-forwarded-for", "10.0.0.3,10.0.0.2")]), "10.0.0.3");
    assert_eq!(
        behind(&[("x-forwarded-for", "2001:db8::1, fd00::2")]),
        "2001:db8::1"
    );
    assert_eq!(behind(&[("x-forwarded-for", "192.0.2.1:4711")]), "192.0.2.1");
    assert_eq!(
        behind(&[("x-forwarded-for", "[2001:db8::1]:4711")]),
        "2001:db8::1"
    );
    assert_eq!(behind(&[("x-forwarded-for", "::ffff:192.0.2.1")]), "192.0.2.1");
}

#[test]
fn s08_the_standard_header_is_read_too() {
    assert_eq!(
        behind(&[("forwarded", "for=1.1.1.1, FOR=192.0.2.1;proto=https")]),
        "192.0.2.1"
    );
    assert_eq!(
        behind(&[("forwarded", r#"proto=http; for="[2001:db8::1]:80""#)]),
        "2001:db8::1"
    );
    assert_eq!(
        behind(&[("forwarded", r#"for="x, for=192.0.2.1"#)]),
        "192.0.2.1",
        "an open quote of the caller"
    );
}

#[test]
fn s08_where_an_entry_is_malformed_the_caller_is_nowhere() {
    for value in [
        "",
        "unknown",
        "192.0.2.1,",
        "1.2.3",
        "192.0.2.1, x, 10.0.0.1",
        "fe80::1%eth0",
        "\u{e9}",
    ] {
        assert_eq!(behind(&[("x-forwarded-for", value)]), "unknown", "{value}");
    }
    assert_eq!(
        behind(&[("x-forwarded-for", "192.0.2.1, _hidden, 10.0.0.9")]),
        "unknown"
    );
    for value in [
        "for=unknown",
        "proto=https",
        "for=192.0.2.1;for=192.0.2.2",
        "for=\"192.0.2.1",
    ] {
        assert_eq!(behind(&[("forwarded", value)]), "unknown", "{value}");
    }
}

#[test]
fn s08_headers_that_disagree_are_not_believed() {
    let told = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
    assert_eq!(behind(&told), "unknown", "not the proxy's");
    let told = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=10.0.0.1")];
    assert_eq!(behind(&told), "unknown");
    let told = [
        ("x-forwarded-for", "192.0.2.1, 10.0.0.2"),
        ("forwarded", "for=192.0.2.1"),
    ];
    assert_eq!(behind(&told), "192.0.2.1");
}

#[test]
fn a07_an_ipv6_address_counts_by_its_64() {
    let key = |text| guard_key(Some(ip(text)));
    assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::"));
    assert_ne!(key("2001:db8:1:2::"), key("2001:db8:1:3::"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    assert_eq!(key("2001:db8:1:2:3::4").to_string(), "2001:db8:1:2::/64");
    assert_eq!(key("192.0.2.1").to_string(), "192.0.2.1");
    assert_eq!(guard_key(None).to_string(), "unknown");
}

#[test]
fn s08_a_chain_that_is_too_long_is_not_followed() {
    let chain = vec!["10.0.0.9"; MAX_HOPS + 1].join(", ");
    assert_eq!(behind(&[("x-forwarded-for", &chain)]), "unknown");
}

fn outside() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|bytes| IpAddr::from([192, bytes[1], bytes[2], bytes[3]])),
        any::<[u16; 7]>().prop_map(|part| {
            IpAddr::from([
                0x2001, part[0], part[1], part[2], part[3], part[4], part[5], part[6],
            ])
        }),
    ]
}

/// Whatever bytes a header may have.
fn lies() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![b' '..=b'~', 0x80..=0xff_u8], 0..60)
}

fn proxy() -> impl Strategy<Value = IpAddr> {
    any::<[u8; 3]>().prop_map(|bytes| IpAddr::from([10, bytes[0], bytes[1], bytes[2]]))
}

proptest! {
    #[test]
    fn s08_whatever_a_caller_sends_its_own_address_is_found(
        lies in lies(), caller in outside(), proxies in prop::collection::vec(proxy(), 0..6), peer in proxy(),
    ) {
        let hops = |write: fn(&IpAddr) -> String| {
            std::iter::once(&caller).chain(&proxies).map(write).collect::<Vec<_>>().join(", ")
        };
        let plain = hops(IpAddr::to_string);
        let standard = hops(|address| match address {
            IpAddr::V4(v4) => format!("for={v4}"),
            IpAddr::V6(v6) => format!("proto=https;for=\"[{v6}]\""),
        });
        for (name, told) in [("x-forwarded-for", plain), ("forwarded", standard)] {
            let value = [&lies, &b", "[..], told.as_bytes()].concat();
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_bytes(&value).unwrap());
            prop_assert_eq!(of_caller(peer, &headers, &trusted()), Some(caller));
        }
    }

    #[test]
    fn s08_a_peer_that_is_not_trusted_is_the_caller(lies in "[ -~]{0,60}", peer in outside()) {
        let told = headers(&[("x-forwarded-for", &lies), ("forwarded", &lies)]);
        prop_assert_eq!(of_caller(peer, &told, &trusted()), Some(peer));
    }
}
