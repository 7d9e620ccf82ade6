use super::*;

const SOURCE: &str = r#"{
  "sample_spec": {"input_cost_per_token": 0.1, "litellm_provider": "one of"},
  "claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost_above_1hr": 6e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_batches": 7.5e-06,
    "input_cost_per_token_above_200k_tokens_priority": 9e-06, "output_cost_per_image_token": 1e-06, "input_cost_per_image": 0.1,
    "search_context_cost_per_query": {"search_context_size_medium": 0.01}, "input_cost_per_request": 0.002,
    "provider_specific_entry": {"us": 1.1, "fast": 2.0}, "max_input_tokens": 200000, "supports_vision": true},
  "text-embedding-x": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08},
  "vertex_ai/claude-x": {"litellm_provider": "vertex_ai-anthropic_models", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6},
  "fine": {"litellm_provider": "openai", "input_cost_per_token": 1.23e-13, "output_cost_per_token": 1e-6},
  "dall-e": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": 0.1},
  "other/x": {"litellm_provider": "groq", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
}"#;

fn rate(price: &Price, class: TokenClass, tier: ServiceTier, above_tokens: u64) -> Option<u64> {
    let key = (class, tier, above_tokens);
    let found = price.rates.iter().find(|rate| rate.key() == key);
    found.map(|rate| rate.pico_usd.0)
}

#[test]
fn e04_litellms_own_file_is_read_and_what_is_left_out_is_counted() {
    let imported = parse(SOURCE).unwrap();
    let names: Vec<&str> = imported.prices.keys().map(String::as_str).collect();
    assert_eq!(names, ["claude-x", "text-embedding-x", "vertex_ai/claude-x"]);
    let claude = &imported.prices["claude-x"];
    assert_eq!(claude.source, PriceSource::Imported);
    assert_eq!(
        (claude.web_search, claude.request),
        (NanoUsd(10_000_000), NanoUsd(2_000_000))
    );
    assert_eq!(
        rate(claude, TokenClass::Output, ServiceTier::Batch, 0),
        Some(7_500_000)
    );
    assert_eq!(
        rate(claude, TokenClass::Input, ServiceTier::Priority, 200_000),
        Some(9_000_000)
    );
    assert_eq!(
        rate(claude, TokenClass::CacheWrite1h, ServiceTier::Standard, 0),
        Some(6_000_000)
    );
    assert_eq!(
        rate(claude, TokenClass::ImageOutput, ServiceTier::Standard, 0),
        Some(1_000_000)
    );
    assert_eq!(claude.factors.len(), 2);
    let embedding = &imported.prices["text-embedding-x"];
    assert_eq!(
        rate(embedding, TokenClass::Output, ServiceTier::Standard, 0),
        Some(0)
    );
    assert_eq!(imported.prices["vertex_ai/claude-x"].platform, "vertex_ai");
    for reason in [
        "entries of other platforms",
        "entries of modes without tokens",
        "entries with a price that is no whole number of pico-USD",
        "prices of images",
    ] {
        assert_eq!(
            imported.left_out.get(reason),
            Some(&1),
            "{reason}: {:?}",
            imported.left_out
        );
    }
}

#[test]
fn e04_web_searches_do_not_become_free_by_an_import() {
    let of = |search: &str| {
        let text = format!(
            r#"{{"m": {{"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
            "search_context_cost_per_query": {search}}}, "n": {{"litellm_provider": "openai",
            "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}}}}"#
        );
        let imported = parse(&text).unwrap();
        let search = imported.prices.get("m").map(|price| price.web_search.0);
        (search, imported.left_names.contains("m"))
    };
    let (low, high) = (
        r#""search_context_size_low": 0.025"#,
        r#""search_context_size_high": 0.05"#,
    );
    let medium = r#""search_context_size_medium": 0.01"#;
    assert_eq!(
        of(&format!("{{{low}, {high}, {medium}}}")),
        (Some(10_000_000), false)
    );
    assert_eq!(of(&format!("{{{low}, {high}}}")), (Some(50_000_000), false));
    assert_eq!(of("{}"), (Some(0), false));
    for wrong in [
        r#"{"search_context_size_medium": 0.0000000001}"#,
        "0.01",
        r#"{"search_context_size_low": "a"}"#,
    ] {
        assert_eq!(of(wrong), (None, true), "{wrong}");
    }
}

#[test]
fn e04_the_shape_that_ships_is_read_whole_or_not_at_all() {
    let text = include_str!("../../../../control-plane/prices/model_prices.json");
    let imported = parse(text).unwrap();
    assert_eq!(imported.prices.len(), 1203);
    assert!(
        imported
            .prices
            .values()
            .all(|price| price.source == PriceSource::Imported)
    );
    let cut = text.replacen("\"entries\":1203", "\"entries\":1204", 1);
    assert!(matches!(parse(&cut), Err(ParseError::Incomplete { .. })));
}

#[test]
fn e04_a_file_without_prices_is_refused() {
    let problem = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(problem("{}"), "the file holds no price that can be used");
    assert_eq!(
        problem(r#"{"a": 1, "b": {"litellm_provider": "xyz"}}"#),
        "the file holds no price that can be used: left out are 1 entries of other platforms, 1 entries that are no object"
    );
    assert_eq!(problem("\u{feff}{}"), problem("{}"));
    assert!(matches!(parse("<html>"), Err(ParseError::Json(_))));
}
