//! Which client library called, and what it runs on.
//!
//! The vendors' SDKs (made by Stainless) say it in headers of their own; others in their user agent, whose first product
//! is taken: `anthropic-sdk-python/0.28.0 …`.

use http::HeaderMap;

/// Longer words are no name and no version.
const MAX_WORD: usize = 64;

/// `name==version`.
pub(super) fn version(headers: &HeaderMap) -> Option<String> {
    let agent = value(headers, "user-agent");
    let language = value(headers, "x-stainless-lang");
    let stated = value(headers, "x-stainless-package-version").and_then(word);
    let (product, of_agent) = agent.and_then(product).unzip();
    let version = stated.or_else(|| of_agent.flatten());
    let name = match (vendor(agent, headers), language.and_then(word)) {
        (Some(vendor), Some(language)) => format!("{vendor}-sdk-{}", language_of(language)),
        (Some(_) | None, _) => product?.to_owned(),
    };
    Some(format!("{name}=={}", version.unwrap_or("unknown")))
}

/// `Python 3.11.5`, `node v22.1.0`.
pub(super) fn runtime(headers: &HeaderMap) -> Option<String> {
    let name = value(headers, "x-stainless-runtime").and_then(word);
    let language = value(headers, "x-stainless-lang").and_then(word);
    let version = value(headers, "x-stainless-runtime-version").and_then(word);
    let name = match (language.map(language_of), name) {
        // `CPython` is how Python runs; its name is the language's.
        (Some("python"), _) => "Python",
        (_, Some(name)) => name,
        (Some(language), None) => language,
        (None, None) => return None,
    };
    Some(match version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}

/// The SDKs call themselves `Anthropic/Python 0.28.0` and `OpenAI/JS 4.1`.
fn vendor(agent: Option<&str>, headers: &HeaderMap) -> Option<&'static str> {
    let starts = |vendor: &str| {
        let start = agent.and_then(|agent| agent.get(..vendor.len()));
        start.is_some_and(|start| start.eq_ignore_ascii_case(vendor))
    };
    if starts("anthropic") || starts("asyncanthropic") {
        return Some("anthropic");
    }
    if starts("openai") || starts("asyncopenai") {
        return Some("openai");
    }
    let stainless = headers.contains_key("x-stainless-lang") && agent.is_none();
    let anthropic = headers.contains_key("anthropic-version");
    match (stainless, anthropic) {
        (true, true) => Some("anthropic"),
        (true, false) => Some("openai"),
        (false, _) => None,
    }
}

fn language_of(language: &str) -> &str {
    match language {
        "js" | "JS" => "typescript",
        other => other,
    }
}

/// The first product of a user agent.
fn product(agent: &str) -> Option<(&str, Option<&str>)> {
    let first = agent.split([' ', ';', '(']).next()?;
    match first.split_once('/') {
        Some((name, version)) => Some((word(name)?, word(version))),
        None => Some((word(first)?, None)),
    }
}

fn word(text: &str) -> Option<&str> {
    let text = text.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-@".contains(&byte);
    let shaped = !text.is_empty() && text.len() <= MAX_WORD && text.bytes().all(plain);
    shaped.then_some(text)
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&'static str, &str)]) -> (Option<String>, Option<String>) {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        (version(&headers), runtime(&headers))
    }

    #[test]
    fn g14_the_vendors_sdks_are_named_by_their_headers() {
        let python = said(&[
            ("user-agent", "Anthropic/Python 0.28.0"),
            ("x-stainless-lang", "python"),
            ("x-stainless-package-version", "0.28.0"),
            ("x-stainless-runtime", "CPython"),
            ("x-stainless-runtime-version", "3.11.5"),
        ]);
        assert_eq!(
            python,
            (
                Some("anthropic-sdk-python==0.28.0".to_owned()),
                Some("Python 3.11.5".to_owned())
            )
        );
        let node = said(&[
            ("user-agent", "OpenAI/JS 4.1.0"),
            ("x-stainless-lang", "js"),
            ("x-stainless-package-version", "4.1.0"),
            ("x-stainless-runtime", "node"),
            ("x-stainless-runtime-version", "v22.1.0"),
        ]);
        assert_eq!(
            node,
            (
                Some("openai-sdk-typescript==4.1.0".to_owned()),
                Some("node v22.1.0".to_owned())
            )
        );
    }

    #[test]
    fn g14_others_are_named_by_their_user_agent() {
        let agent = |agent| said(&[("user-agent", agent)]).0;
        assert_eq!(
            agent("claude-cli/1.0.3 (external, cli)"),
            Some("claude-cli==1.0.3".to_owned())
        );
        assert_eq!(agent("curl/8.5.0"), Some("curl==8.5.0".to_owned()));
        assert_eq!(agent("something"), Some("something==unknown".to_owned()));
        assert_eq!(agent("{\"a\":1}"), None);
        assert_eq!(said(&[]), (None, None));
    }
}
