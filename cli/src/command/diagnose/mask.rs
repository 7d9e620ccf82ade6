//! The last look at what leaves the machine: forms of keys and tokens, wherever an operator may have written them.
//!
//! What fills a bundle holds no secret by itself. This is for the reason that somebody typed a key into, and for what a
//! provider repeated.

use std::sync::LazyLock;

use regex::Regex;

const MASK: &str = "****";

/// The beginnings of vendors' keys and of ours, bearer tokens, passwords in URLs.
static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = [
        r"\b(?:sk|pk|rk|pst|pso|psk|pat|cr|xai|gsk|AIza|AKIA|ASIA|ya29|ghp|eyJ)[-_.A-Za-z0-9]{16,}",
        r"(?i)\bbearer\s+[-_.~+/=A-Za-z0-9]{12,}",
        r"://[^/\s:@]*:[^/\s@]+@",
    ];
    Regex::new(&forms.join("|")).ok()
});

/// The text without them, and without this token.
pub(super) fn mask(text: &str, token: &str) -> String {
    let text = match token.is_empty() {
        true => text.to_owned(),
        false => text.replace(token, MASK),
    };
    let Some(forms) = &*FORMS else {
        return MASK.to_owned();
    };
    let masked = forms.replace_all(&text, |found: &regex::Captures<'_>| {
        match found.get(0).map_or("", |whole| whole.as_str()) {
            url if url.starts_with("://") => format!("://{MASK}@"),
            _ => MASK.to_owned(),
        }
    });
    masked.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f01_no_form_of_a_secret_passes() {
        for secret in [
            "sk-ant-api03-abcdefghijklmnop",
            "pso_abcdefghijklmnopqrst",
            "pat_abcdefghijklmnopqrst",
            "Bearer abc.def-ghi_jklmnop",
            "postgres://ann:hunter2@db/penstock",
            "my-admin-token-0123",
        ] {
            let masked = mask(&format!("x {secret} y"), "my-admin-token-0123");
            assert!(masked.contains(MASK) && !masked.contains(secret), "{masked}");
        }
        assert!(!mask("redis://:hunter2@r:6379", "").contains("hunter2"));
        assert_eq!(mask("provider main answers", ""), "provider main answers");
    }
}
