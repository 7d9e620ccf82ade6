//! The cost of a call is the same in two implementations that share nothing but the price list: core's in integers, and
//! `python/cost.py` in fractions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use penstock_core::cost::charge;
use penstock_core::money::Millionths;
use penstock_core::price::{Price, ServiceTier, shipped};
use penstock_core::usage::TokenUsage;
use penstock_tests::python;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

const CALLS: usize = 10_000;
const TIERS: [ServiceTier; 5] = [
    ServiceTier::Standard,
    ServiceTier::Batch,
    ServiceTier::Flex,
    ServiceTier::Priority,
    ServiceTier::Ultrafast,
];

#[test]
fn e03_ten_thousand_random_calls_cost_the_same_to_the_nano_dollar() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../control-plane/prices/model_prices.json");
    let prices: BTreeMap<String, Price> = shipped::parse(&fs::read_to_string(&path)?)?.into_iter().collect();
    let names: Vec<&String> = prices.keys().collect();
    let mut random = SmallRng::seed_from_u64(7);
    let (mut calls, mut costs) = (String::new(), Vec::with_capacity(CALLS));
    for _ in 0..CALLS {
        let name = names[random.random_range(0..names.len())];
        let usage = usage(&mut random);
        let multiplier = [1_000_000, 0, 1_250_000, 333_333][random.random_range(0..4)];
        costs.push(charge(&prices[name], &usage, Millionths(multiplier)).0);
        writeln!(
            calls,
            "{}",
            json!({ "model": name, "usage": usage, "multiplier": multiplier })
        )?;
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("calls.jsonl");
    fs::write(&file, &calls)?;
    let args = [path.to_str().context("a path")?, file.to_str().context("a path")?];
    let Some(output) = python("cost.py", &args)? else {
        return Ok(());
    };
    let theirs: Vec<i64> = output.lines().map(str::parse).collect::<Result<_, _>>()?;
    assert_eq!(theirs.len(), CALLS);
    let mut calls = calls.lines();
    for (ours, theirs) in costs.iter().zip(&theirs) {
        let call = calls.next().unwrap_or_default();
        assert_eq!(ours, theirs, "{call}");
    }
    assert!(costs.iter().filter(|cost| **cost > 0).count() > CALLS / 2);
    Ok(())
}

/// From nothing to more than every threshold.
fn usage(random: &mut SmallRng) -> TokenUsage {
    let tokens = |random: &mut SmallRng| match random.random_range(0..4) {
        0 => 0,
        1 => random.random_range(0..1_000),
        2 => random.random_range(0..400_000),
        _ => [100_000, 128_000, 200_000, 272_000][random.random_range(0..4)],
    };
    let output = tokens(random);
    TokenUsage {
        input: tokens(random),
        output,
        cache_read: tokens(random),
        cache_write: tokens(random),
        cache_write_1h: tokens(random),
        cache_write_12h: tokens(random),
        reasoning: random.random_range(0..=output),
        audio_input: tokens(random),
        image_input: tokens(random),
        audio_output: random.random_range(0..=output),
        image_output: tokens(random),
        web_searches: random.random_range(0..3),
        tier: TIERS[random.random_range(0..TIERS.len())],
        factors: ["us", "fast", "unknown"]
            .into_iter()
            .filter(|_| random.random_bool(0.3))
            .map(str::to_owned)
            .collect(),
    }
}
