//! The credentials that a request presents (behaviour A1).
//!
//! Clients put a key in one of five places, some in two at once, and new SDKs changed theirs, so every place counts
//! on every route. Which of them are keys of ours is for the caller of this module to look up: unknown ones beside a
//! known key are ignored, two different known ones are refused.
//!
//! Bounds: at most [`MAX_PRESENTED`] different ones are looked at, each of 1 to [`MAX_LENGTH`] bytes; others are as
//! if they were not there.

use std::borrow::Cow;

use http::HeaderMap;

use crate::percent;

/// More different credentials than this in one request are not looked at.
pub const MAX_PRESENTED: usize = 5;
/// Longer ones are not looked at, bytes.
pub const MAX_LENGTH: usize = 512;

const HEADERS: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];

/// The different credentials of one request, in the order of the places: `Authorization: Bearer`, `x-api-key`,
/// `x-goog-api-key`, `api-key`, `?key=`.
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
#[derive(Default)]
pub struct Presented<'a> {
    found: [Option<Cow<'a, str>>; MAX_PRESENTED],
}

/// Collects what the request presents. `query` is the URL's part behind `?`.
pub fn extract<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Presented<'a> {
    let mut presented = Presented::default();
    for name in HEADERS {
        for value in headers.get_all(name) {
            let Ok(text) = value.to_str() else { continue };
            let credential = if name == "authorization" {
                bearer(text)
            } else {
                Some(text)
            };
            if let Some(credential) = credential {
                presented.add(Cow::Borrowed(credential.trim()));
            }
        }
    }
    let keys = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.strip_prefix("key="));
    for key in keys.filter(|key| key.len() <= MAX_LENGTH * 3) {
        if let Some(key) = percent::decode(key) {
            presented.add(key);
        }
    }
    presented
}

/// Whether a header (lower case) may carry a caller's credential, so that it never goes upstream or into a log.
pub fn is_credential_header(name: &str) -> bool {
    matches!(
        name,
        "authorization" | "x-api-key" | "x-goog-api-key" | "api-key" | "proxy-authorization" | "cookie"
    )
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim_start().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl<'a> Presented<'a> {
    /// The credentials, without repetition.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.found.iter().flatten().map(AsRef::as_ref)
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.found.iter().all(Option::is_none)
    }

    fn add(&mut self, credential: Cow<'a, str>) {
        if credential.is_empty() || credential.len() > MAX_LENGTH || self.iter().any(|one| one == credential)
        {
            return;
        }
        if let Some(free) = self.found.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(credential);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn found(pairs: &[(&'static str, &'static str)], query: Option<&str>) -> Vec<String> {
        extract(&headers(pairs), query)
            .iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a01_a_key_is_taken_from_every_place() {
        for pair in [
            ("authorization", "Bearer k1"),
            ("authorization", "bearer  k1 "),
            ("x-api-key", "k1"),
            ("x-goog-api-key", "k1"),
            ("api-key", "k1"),
        ] {
            assert_eq!(found(&[pair], None), ["k1"], "{pair:?}");
        }
        assert_eq!(found(&[], Some("alt=sse&key=k%2B1")), ["k+1"]);
    }

    #[test]
    fn a01_the_same_key_in_two_places_is_one_and_two_keys_are_two() {
        let twice = [("authorization", "Bearer k1"), ("x-api-key", "k1")];
        assert_eq!(found(&twice, Some("key=k1")), ["k1"]);
        let two = [("authorization", "Bearer k1"), ("x-api-key", "k2")];
        assert_eq!(found(&two, None), ["k1", "k2"]);
    }

    #[test]
    fn what_is_no_credential_is_not_presented() {
        let none = [
            ("authorization", "Basic dTpw"),
            ("x-api-key", ""),
            ("authorization", "Bearer"),
        ];
        assert!(found(&none, Some("monkey=1&key=&key=%zz")).is_empty());
        assert!(extract(&HeaderMap::new(), None).is_empty());
    }

    #[test]
    fn the_number_and_length_of_credentials_are_bounded() {
        let mut many = HeaderMap::new();
        for i in 0..50 {
            many.append("x-api-key", format!("key-{i}").parse().unwrap());
        }
        assert_eq!(extract(&many, None).iter().count(), MAX_PRESENTED);
        let mut long = HeaderMap::new();
        long.insert("x-api-key", "k".repeat(MAX_LENGTH + 1).parse().unwrap());
        assert!(extract(&long, None).is_empty());
    }
}
