//! The prices that ship with the product, which the control plane seeds into its store.
//!
//! The data lies in `control-plane/prices/`, where the README tells its shape, where it comes from, under which licence,
//! and what of the source has no place in it (prices of cached audio tokens, OpenAI's `decisions` tier).

mod seed;

use penstock_core::price::Price;
use penstock_core::price::shipped::{self, ParseError};

pub use seed::seed;

const FILE: &str = include_str!("../prices/model_prices.json");

/// All shipped prices by name, in the order of the file.
///
/// An error means that the binary was built from a file that does not belong to it; the tests rule that out.
pub fn shipped() -> Result<Vec<(String, Price)>, ParseError> {
    shipped::parse(FILE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn e04_all_models_ship_under_names_of_their_own() {
        let prices = shipped().unwrap();
        let names: BTreeSet<&String> = prices.iter().map(|(name, _)| name).collect();
        assert_eq!((prices.len(), names.len()), (1203, 1203));
    }
}
