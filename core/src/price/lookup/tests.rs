use std::collections::BTreeMap;

use super::super::shipped::tests::prices;
use super::*;

fn price(platform: &str, source: PriceSource) -> Price {
    Price {
        source,
        ..Price::of_rates(platform, Vec::new())
    }
}

fn table(entries: &[(&str, &str)]) -> BTreeMap<String, Price> {
    let shipped =
        |(name, platform): &(&str, &str)| ((*name).to_owned(), price(platform, PriceSource::Shipped));
    entries.iter().map(shipped).collect()
}

fn find(table: &BTreeMap<String, Price>, kind: ProviderKind, model: &str) -> Option<(String, Rule)> {
    resolve(kind, "acme", model, |name| table.get(name)).map(|found| (found.name, found.rule))
}

fn anthropic(table: &BTreeMap<String, Price>, model: &str) -> Option<(String, Rule)> {
    find(table, ProviderKind::Anthropic, model)
}

fn hit(name: &str, rule: Rule) -> Option<(String, Rule)> {
    Some((name.to_owned(), rule))
}

#[test]
fn e04_a_price_of_the_provider_goes_before_all_others() {
    let table = table(&[
        ("acme/m", "elsewhere"),
        ("m", "anthropic"),
        ("anthropic/m", "anthropic"),
    ]);
    assert_eq!(anthropic(&table, "m"), hit("acme/m", Rule::Provider));
}

#[test]
fn e04_a_provider_called_as_a_platform_does_not_pay_its_prices() {
    let mut table = table(&[("azure/gpt", "azure"), ("gpt", "openai")]);
    let find = |table: &BTreeMap<String, Price>| {
        let found = resolve(ProviderKind::Openai, "azure", "gpt", |name| table.get(name));
        found.map(|found| (found.name, found.rule))
    };
    assert_eq!(find(&table), hit("gpt", Rule::Exact));
    table.insert("azure/gpt".to_owned(), price("", PriceSource::Manual));
    assert_eq!(
        find(&table),
        hit("azure/gpt", Rule::Provider),
        "an operator's own"
    );
}

#[test]
fn e04_an_exact_name_goes_before_one_behind_the_platform() {
    let table = table(&[("m", "anthropic"), ("anthropic/m", "anthropic")]);
    assert_eq!(anthropic(&table, "m"), hit("m", Rule::Exact));
}

#[test]
fn e04_a_bare_name_of_another_platform_is_passed_over() {
    let table = table(&[("m", "vertex_ai"), ("anthropic/m", "anthropic")]);
    assert_eq!(anthropic(&table, "m"), hit("anthropic/m", Rule::Platform));
    assert_eq!(find(&table, ProviderKind::Openai, "m"), None);
}

#[test]
fn e04_a_manual_price_without_a_platform_is_for_all() {
    let mut table = BTreeMap::new();
    table.insert("m".to_owned(), price("", PriceSource::Manual));
    for kind in ProviderKind::ALL {
        assert_eq!(find(&table, kind, "m"), hit("m", Rule::Exact));
    }
    table.insert("m".to_owned(), price("", PriceSource::Shipped));
    assert_eq!(anthropic(&table, "m"), None);
}

#[test]
fn e04_a_dated_model_pays_the_price_of_the_undated_one() {
    let table = table(&[("m", "anthropic"), ("acme/n", "anthropic")]);
    for model in ["m-20251001", "m-2025-10-01", "m@20251001", "m-latest", "m@latest"] {
        assert_eq!(anthropic(&table, model), hit("m", Rule::Alias), "{model}");
    }
    assert_eq!(anthropic(&table, "n-20251001"), hit("acme/n", Rule::Alias));
}

#[test]
fn e04_a_dated_model_with_its_own_price_pays_that() {
    let table = table(&[("m", "anthropic"), ("anthropic/m-20251001", "anthropic")]);
    assert_eq!(
        anthropic(&table, "m-20251001"),
        hit("anthropic/m-20251001", Rule::Platform)
    );
}

#[test]
fn e04_what_only_looks_alike_finds_nothing() {
    let table = table(&[
        ("m", "anthropic"),
        ("m-pro", "anthropic"),
        ("m-20251001", "anthropic"),
    ]);
    for model in [
        "m-mini",
        "m-",
        "m-pr",
        "M",
        "m-20251301",
        "m-20251000",
        "m-19991001",
        "m-2025100",
        "m-0613",
        "m-2025-10",
        "m-2025-13-01",
        "m-20251001-v1",
        "xm",
        "acme/m",
        "latest",
        "-latest",
        "-20251001",
        "",
        "m-latest-latest",
    ] {
        assert_eq!(anthropic(&table, model), None, "{model}");
    }
    let long = "m".repeat(MAX_NAME + 1);
    assert_eq!(anthropic(&table, &long), None);
}

#[test]
fn e04_shipped_prices_are_found_for_the_platform_that_charges_them() {
    let find = |kind, model| find(prices(), kind, model);
    assert_eq!(
        find(ProviderKind::Anthropic, "claude-opus-4-8"),
        hit("claude-opus-4-8", Rule::Exact)
    );
    assert_eq!(
        find(ProviderKind::Anthropic, "claude-opus-4-8-20261001"),
        hit("claude-opus-4-8", Rule::Alias)
    );
    assert_eq!(
        find(ProviderKind::OpenaiCompatible, "gpt-5.5"),
        hit("gpt-5.5", Rule::Exact)
    );
    assert_eq!(find(ProviderKind::Openai, "gemini-2.5-pro"), None);
    assert_eq!(find(ProviderKind::Anthropic, "gpt-5.5"), None);
}

#[test]
fn e04_every_first_party_model_finds_its_own_price() {
    for (name, price) in prices() {
        for kind in ProviderKind::ALL {
            if kind.price_platform() == price.platform {
                assert_eq!(find(prices(), kind, name), hit(name, Rule::Exact));
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_model_name_is_looked_up_without_panic(model in "\\PC{0,40}") {
        drop(find(prices(), ProviderKind::Openai, &model));
    }
}

fn on(platform: &str, model: &str) -> Option<(String, Rule)> {
    on_platform(platform, "acme", model, |name| prices().get(name)).map(|found| (found.name, found.rule))
}

#[test]
fn e04_each_platform_finds_its_shipped_prices_and_no_others() {
    for (platform, model, name, rule) in [
        (
            "gemini",
            "gemini-2.5-pro",
            "gemini/gemini-2.5-pro",
            Rule::Platform,
        ),
        ("vertex_ai", "gemini-2.5-pro", "gemini-2.5-pro", Rule::Exact),
        (
            "vertex_ai",
            "claude-3-5-haiku@20241022",
            "vertex_ai/claude-3-5-haiku@20241022",
            Rule::Platform,
        ),
        (
            "vertex_ai",
            "claude-3-opus@default",
            "vertex_ai/claude-3-opus",
            Rule::Alias,
        ),
        ("azure", "gpt-4.1-2099-01-01", "azure/gpt-4.1", Rule::Alias),
        (
            "bedrock",
            "global.anthropic.claude-opus-4-8",
            "global.anthropic.claude-opus-4-8",
            Rule::Exact,
        ),
        (
            "bedrock",
            "jp.anthropic.claude-instant-v1",
            "anthropic.claude-instant-v1",
            Rule::Profile,
        ),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-8",
            "global.anthropic.claude-opus-4-8",
            Rule::Profile,
        ),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/ca.anthropic.claude-instant-v1",
            "anthropic.claude-instant-v1",
            Rule::Profile,
        ),
    ] {
        assert_eq!(on(platform, model), hit(name, rule), "{platform} {model}");
    }
    assert_eq!(
        on("anthropic", "us.claude-opus-4-8"),
        None,
        "only Bedrock has profiles"
    );
    assert_eq!(on("azure", "claude-opus-4-8"), None);
    assert_eq!(on("bedrock", "us."), None);
    assert_eq!(on("bedrock", "arn:aws:bedrock"), None);
}
