//! What may be a base URL.

use crate::invalid::Invalid;

/// `http(s)://host[:port][/path]`, nothing more.
pub(super) fn check_base_url(field: &str, url: &str) -> Result<(), Invalid> {
    let refuse = |problem: &str| Err(Invalid::new(field, format!("{url:?} {problem}")));
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return refuse("must begin with https:// or http://");
    };
    if url.len() > 2048 || !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains(['"', '\\', '<', '>']) {
        return refuse("is not a URL");
    }
    if rest.contains('@') {
        return Err(Invalid::new(
            field,
            "must not contain credentials; give them as the provider's credential",
        ));
    }
    if rest.contains(['?', '#']) {
        return refuse("must not have a query or a fragment");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = split_port(authority);
    if host.is_empty() || host.contains('[') != host.contains(']') {
        return refuse("names no host");
    }
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |n| n == 0)) {
        return refuse("has a port that is not a number from 1 to 65535");
    }
    Ok(())
}

pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((_, tail)) if tail.ends_with(']') => (authority, None),
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}
