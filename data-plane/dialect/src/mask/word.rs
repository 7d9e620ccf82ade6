//! What one word is.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const CREDENTIAL: &[u8] = b"[credential]";
const EMAIL: &[u8] = b"[email]";
const ADDRESS: &[u8] = b"[address]";
const ORGANIZATION: &[u8] = b"[organization]";

/// Beginnings of credentials; what follows is judged by [`is_secret`].
const CREDENTIALS: [&[u8]; 20] = [
    b"sk-", b"sk_", b"pk-", b"rk-", b"psk_", b"cch_", b"cr_", b"key-", b"AIza", b"ya29.", b"xai-", b"gsk_",
    b"AKIA", b"ASIA", b"sess-", b"ghp_", b"hf_", b"nvapi-", b"pplx-", b"r8_",
];
const MIN_SECRET: usize = 8;
/// Under this a token after `Bearer` is a word of English.
const MIN_TOKEN: usize = 8;
const INTERNAL_SUFFIXES: [&[u8]; 9] = [
    b".internal",
    b".local",
    b".localdomain",
    b".svc",
    b".lan",
    b".corp",
    b".intra",
    b".intranet",
    b".home.arpa",
];
const ORGANIZATION_PREFIXES: [&[u8]; 4] = [b"org-", b"org_", b"proj_", b"wrkspc_"];
const UUID: usize = 36;

pub(super) enum Verdict {
    Keep,
    Mask {
        with: &'static [u8],
        /// Of the word, from its first byte; punctuation behind stays.
        length: usize,
    },
}

/// Length of the word that `text` begins with; 0 when the first byte separates words.
pub(super) fn length(text: &[u8], token: bool) -> usize {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"-_.+%*@~".contains(&byte);
    let in_token = |byte: u8| in_word(byte) || b"/=:".contains(&byte);
    let plain = text
        .iter()
        .position(|&byte| !(if token { in_token(byte) } else { in_word(byte) }))
        .unwrap_or(text.len());
    if token {
        return plain;
    }
    ipv6_length(text).map_or(plain, |address| address.max(plain))
}

/// Length of the IPv6 address that `text` begins with: it goes on behind its colons.
fn ipv6_length(text: &[u8]) -> Option<usize> {
    const LONGEST: usize = 45;
    let in_address = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    let length = text
        .iter()
        .take(LONGEST)
        .take_while(|&&byte| in_address(byte))
        .count();
    let candidate = std::str::from_utf8(text.get(..length)?).ok()?;
    // `fd00::1:` and `fd00::1.` end a clause.
    let address = match candidate.parse::<Ipv6Addr>() {
        Ok(_) => candidate,
        Err(_) => candidate.strip_suffix([':', '.'])?,
    };
    address.parse::<Ipv6Addr>().ok()?;
    Some(address.len())
}

/// Judges a word. `before` is the text in front of it; `token` says that `Bearer` or the like stands there.
pub(super) fn judge(word: &[u8], before: &[u8], token: bool) -> Verdict {
    let trimmed = trim(word);
    let mask = |with| Verdict::Mask {
        with,
        length: trimmed.len(),
    };
    if is_credential(trimmed) || (token && looks_random(trimmed)) {
        mask(CREDENTIAL)
    } else if is_email(trimmed) {
        mask(EMAIL)
    } else if is_internal(trimmed) {
        mask(ADDRESS)
    } else if is_organization(trimmed, before) {
        mask(ORGANIZATION)
    } else {
        Verdict::Keep
    }
}

/// Without the punctuation that ends a sentence.
fn trim(word: &[u8]) -> &[u8] {
    let end = word
        .iter()
        .rposition(|byte| !b".-:%+~".contains(byte))
        .map_or(0, |last| last + 1);
    word.get(..end).unwrap_or_default()
}

fn is_credential(word: &[u8]) -> bool {
    let known = CREDENTIALS
        .iter()
        .any(|prefix| word.strip_prefix(*prefix).is_some_and(is_secret));
    // Shown in part, as `abcd****wxyz`.
    let ends = word.first().zip(word.last());
    let starred = word.len() >= MIN_SECRET
        && ends.is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && word.windows(3).any(|three| three == b"***");
    let jwt = word.starts_with(b"eyJ") && word.iter().filter(|&&byte| byte == b'.').count() == 2;
    known || starred || jwt
}

/// Whether what follows a prefix is a secret and not a word: `sk-abc123…`, but not `key-management`.
fn is_secret(rest: &[u8]) -> bool {
    let digit = rest.iter().any(u8::is_ascii_digit);
    rest.contains(&b'*') || rest.len() >= 20 || (rest.len() >= MIN_SECRET && digit)
}

fn looks_random(token: &[u8]) -> bool {
    token.len() >= MIN_TOKEN && token.iter().any(|byte| !byte.is_ascii_lowercase())
}

fn is_email(word: &[u8]) -> bool {
    let Some(at) = word.iter().position(|&byte| byte == b'@') else {
        return false;
    };
    let domain = word.get(at + 1..).unwrap_or_default();
    at > 0 && domain.contains(&b'.') && !domain.contains(&b'@')
}

fn is_internal(word: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(word) else {
        return false;
    };
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return is_internal_v4(ip);
    }
    if let Ok(ip) = text.parse::<Ipv6Addr>() {
        let mapped = ip.to_ipv4_mapped().is_some_and(is_internal_v4);
        return mapped || ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local();
    }
    let lower = text.to_ascii_lowercase().into_bytes();
    lower == b"localhost"
        || INTERNAL_SUFFIXES
            .iter()
            .any(|suffix| lower.len() > suffix.len() && lower.ends_with(suffix))
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let shared = first == 100 && (64..128).contains(&second);
    ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
}

fn is_organization(word: &[u8], before: &[u8]) -> bool {
    let named = ORGANIZATION_PREFIXES.iter().any(|prefix| {
        word.strip_prefix(*prefix)
            .is_some_and(|rest| rest.len() >= MIN_SECRET && rest.iter().all(u8::is_ascii_alphanumeric))
    });
    named || (is_uuid(word) && speaks_of_organization(before))
}

fn is_uuid(word: &[u8]) -> bool {
    let fits = |(i, &byte): (usize, &u8)| match i {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    word.len() == UUID && word.iter().enumerate().all(fits)
}

/// Whether the last word in front, an `id` apart, is an organisation: `org: `, `"organization_id":"`.
fn speaks_of_organization(before: &[u8]) -> bool {
    let lower = before.to_ascii_lowercase();
    let words = |text: &[u8]| {
        text.iter()
            .rposition(u8::is_ascii_alphanumeric)
            .map_or(0, |last| last + 1)
    };
    let mut front = lower.get(..words(&lower)).unwrap_or_default();
    for id in [&b"uuid"[..], b"id"] {
        if let Some(rest) = front.strip_suffix(id) {
            front = rest.get(..words(rest)).unwrap_or_default();
            break;
        }
    }
    [&b"org"[..], b"organization", b"organisation", b"workspace"]
        .iter()
        .any(|name| front.ends_with(name))
}
