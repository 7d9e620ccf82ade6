//! What an import would change: shown first, then committed.
//!
//! A manual price is never touched; those that the file also has are listed as kept. A price of the release that the file
//! does not have stays: the next start would bring it back. A price that came with an earlier import and is not in the
//! file any more goes, unless it shall be kept.

use std::collections::BTreeMap;

use super::{Price, PriceSource};

/// One price before and after. At least one of both is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceChange {
    pub name: String,
    pub before: Option<Price>,
    pub after: Option<Price>,
}

/// See the module. Both lists are in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceChanges {
    pub changes: Vec<PriceChange>,
    /// Manual prices that the file would have changed.
    pub kept: Vec<String>,
}

impl PriceChanges {
    /// From what is known to what the file has.
    pub fn between(
        known: &BTreeMap<String, Price>,
        file: &BTreeMap<String, Price>,
        keep_missing: bool,
    ) -> Self {
        let mut found = Self::default();
        for (name, new) in file {
            let old = known.get(name);
            if old.is_some_and(|old| old.source == PriceSource::Manual) {
                found.kept.push(name.clone());
            } else if old.is_none_or(|old| !same(old, new)) {
                found.changes.push(PriceChange {
                    name: name.clone(),
                    before: old.cloned(),
                    after: Some(new.clone()),
                });
            }
        }
        let gone = known.iter().filter(|(name, old)| {
            !keep_missing && old.source == PriceSource::Imported && !file.contains_key(*name)
        });
        found.changes.extend(gone.map(|(name, old)| PriceChange {
            name: name.clone(),
            before: Some(old.clone()),
            after: None,
        }));
        found.changes.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }
}

/// Wherever they came from, and in whatever order rates and factors stand.
fn same(old: &Price, new: &Price) -> bool {
    let plain = |price: &Price| {
        let mut price = price.clone();
        price.source = PriceSource::Imported;
        price
            .rates
            .sort_by_key(|rate| (rate.tier, rate.above_tokens, rate.class));
        price.factors.sort_by(|a, b| a.name.cmp(&b.name));
        price
    };
    plain(old) == plain(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::NanoUsd;

    fn price(source: PriceSource, web_search: i64) -> Price {
        Price {
            source,
            web_search: NanoUsd(web_search),
            ..Price::of_rates("openai", Vec::new())
        }
    }

    fn table(entries: &[(&str, PriceSource, i64)]) -> BTreeMap<String, Price> {
        let entry =
            |(name, source, search): &(&str, PriceSource, i64)| ((*name).to_owned(), price(*source, *search));
        entries.iter().map(entry).collect()
    }

    #[test]
    fn e04_manual_prices_are_kept_and_named_and_only_what_differs_changes() {
        use PriceSource::{Imported, Manual, Shipped};
        let known = table(&[
            ("a", Shipped, 1),
            ("b", Shipped, 1),
            ("c", Manual, 1),
            ("d", Imported, 1),
            ("e", Shipped, 1),
        ]);
        let file = table(&[
            ("a", Imported, 1),
            ("b", Imported, 2),
            ("c", Imported, 2),
            ("n", Imported, 1),
        ]);
        let found = PriceChanges::between(&known, &file, false);
        let told: Vec<_> = found
            .changes
            .iter()
            .map(|change| {
                (
                    change.name.as_str(),
                    change.before.is_some(),
                    change.after.is_some(),
                )
            })
            .collect();
        assert_eq!(told, [("b", true, true), ("d", true, false), ("n", false, true)]);
        assert_eq!(found.kept, ["c"]);
        assert_eq!(PriceChanges::between(&known, &file, true).changes.len(), 2);
        assert_eq!(
            PriceChanges::between(&file, &file, false),
            PriceChanges::default()
        );
    }
}
