//! What an import would change: shown first, then committed.
//!
//! A manual price is never touched; those that the file also has are listed as kept. A price of the release that the file
//! does not have stays. A price that came with an earlier import and is not in the file any more goes, unless it shall be
//! kept; where the release has a price of that name it comes back at once, since no model may be without its price until
//! the next start. An entry that is in the file and cannot be taken over is not gone: the price from before is kept.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Manual prices that the file would have changed, and imported ones whose new entry cannot be taken over.
    pub kept: Vec<String>,
}

/// What a file says, and what is known beside it.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    pub file: &'a BTreeMap<String, Price>,
    /// In the file, and left out whole.
    pub left_out: &'a BTreeSet<String>,
    /// Of the release.
    pub shipped: &'a BTreeMap<String, Price>,
}

impl PriceChanges {
    /// From what is known to what the file has.
    pub fn between(known: &BTreeMap<String, Price>, sources: Sources<'_>, keep_missing: bool) -> Self {
        let mut found = Self::default();
        for (name, new) in sources.file {
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
        let missing = known
            .iter()
            .filter(|(name, old)| old.source == PriceSource::Imported && !sources.file.contains_key(*name));
        for (name, old) in missing {
            if sources.left_out.contains(name) {
                found.kept.push(name.clone());
            } else if !keep_missing {
                found.changes.push(PriceChange {
                    name: name.clone(),
                    before: Some(old.clone()),
                    after: sources.shipped.get(name).cloned(),
                });
            }
        }
        found.kept.sort();
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
        let none = (BTreeSet::new(), BTreeMap::new());
        let sources = |file| Sources {
            file,
            left_out: &none.0,
            shipped: &none.1,
        };
        let found = PriceChanges::between(&known, sources(&file), false);
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
        assert_eq!(
            PriceChanges::between(&known, sources(&file), true).changes.len(),
            2
        );
        assert_eq!(
            PriceChanges::between(&file, sources(&file), false),
            PriceChanges::default()
        );
    }

    #[test]
    fn e04_a_model_is_never_without_its_price_for_an_import() {
        use PriceSource::{Imported, Shipped};
        let known = table(&[
            ("back", Imported, 1),
            ("gone", Imported, 1),
            ("left", Imported, 1),
        ]);
        let (file, left) = (BTreeMap::new(), BTreeSet::from(["left".to_owned()]));
        let shipped = table(&[("back", Shipped, 2)]);
        let sources = Sources {
            file: &file,
            left_out: &left,
            shipped: &shipped,
        };
        let found = PriceChanges::between(&known, sources, false);
        let after: Vec<_> = found.changes.iter().map(|change| change.after.clone()).collect();
        assert_eq!(after, [shipped.get("back").cloned(), None]);
        assert_eq!(found.kept, ["left"]);
    }
}
