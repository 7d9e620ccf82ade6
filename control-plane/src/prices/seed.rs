//! Brings the shipped prices into the store.
//!
//! At each start the prices of this release are compared with those in the store; what differs is committed at once, by
//! the system. A manual price is never touched (behaviour E4). A shipped price cannot be deleted: to
//! be rid of one, override it. Prices that this release does not ship any more stay, for the ledger's sake.
//!
//! Several replicas may start at once: of two commits that expect the same versions one wins, and the other looks again
//! and finds nothing left to do.

use std::collections::BTreeMap;

use penstock_core::price::{Price, PriceSource};
use penstock_core::resource::ResourceRef;
use penstock_store::{Commit, Error, Expect, Filter, NewSpec, Page, Put, Store, StoredSpec};

use super::shipped;
use crate::access::SYSTEM;
use crate::clock;
use crate::startup::Fault;

const TRIES: usize = 5;

/// What the store has under a price's name.
enum Known {
    Price(u64, Box<Price>),
    /// A row that cannot be read is not overwritten.
    Unreadable,
}

/// Commits what differs. Ends with Ok also when other replicas do it all the time.
pub async fn seed(store: &dyn Store) -> Result<(), Fault> {
    let shipped = shipped()?;
    for _ in 0..TRIES {
        let puts = differences(&shipped, &known(store).await.map_err(Fault::Load)?);
        let number = puts.len();
        if number == 0 {
            return Ok(());
        }
        let mut commit = Commit::new(SYSTEM, "prices that ship with this release", clock::now());
        commit.ops.extend(puts.into_iter().map(Into::into));
        match store.commit(commit).await {
            Ok(done) => {
                tracing::info!(
                    prices = number,
                    revision = done.head.revision,
                    "shipped prices brought up to date"
                );
                return Ok(());
            }
            Err(error @ (Error::Conflict { .. } | Error::NameTaken { .. })) => {
                tracing::debug!(%error, "another replica seeds prices");
            }
            Err(
                error @ (Error::SecretTaken { .. }
                | Error::NotFound { .. }
                | Error::InUse { .. }
                | Error::Invalid(_)
                | Error::Corrupt { .. }
                | Error::Unavailable { .. }),
            ) => return Err(Fault::Load(error)),
        }
    }
    tracing::warn!(
        "shipped prices were not brought up to date: others change prices all the time; the next start tries again"
    );
    Ok(())
}

async fn known(store: &dyn Store) -> Result<BTreeMap<String, Known>, Error> {
    let filter = Filter::Prices {
        contains: None,
        source: None,
    };
    let mut known = BTreeMap::new();
    let mut page = Page::first(Page::MAX);
    loop {
        let listed = store.list(&filter, &page).await?;
        for stored in listed.resources {
            if let StoredSpec::Price(price) = stored.spec {
                known.insert(stored.reference.id(), Known::Price(stored.version, price));
            }
        }
        known.extend(
            listed
                .unreadable
                .into_iter()
                .map(|row| (row.reference.id(), Known::Unreadable)),
        );
        match listed.next {
            Some(next) => page.after = Some(next),
            None => return Ok(known),
        }
    }
}

fn differences(shipped: &[(String, Price)], known: &BTreeMap<String, Known>) -> Vec<Put> {
    let put = |(name, price): &(String, Price)| {
        let expect = match known.get(name) {
            None => Expect::Absent,
            Some(Known::Price(version, old)) if old.source == PriceSource::Shipped && **old != *price => {
                Expect::Version(*version)
            }
            Some(Known::Price(..) | Known::Unreadable) => return None,
        };
        let spec = NewSpec::Price(Box::new(price.clone()));
        Some(Put::new(ResourceRef::Price(name.as_str().into()), spec).expecting(expect))
    };
    shipped.iter().filter_map(put).collect()
}

#[cfg(test)]
mod tests {
    use penstock_core::money::NanoUsd;

    use super::*;

    #[tokio::test]
    async fn e04_two_replicas_that_start_at_once_make_one_revision() {
        let store = crate::tests::fake_store::FakeStore::new();
        let (a, b) = tokio::join!(seed(&*store), seed(&*store));
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(store.head().await.unwrap().revision, 1);
        seed(&*store).await.unwrap();
        assert_eq!(
            store.head().await.unwrap().revision,
            1,
            "nothing differs any more"
        );
    }

    #[tokio::test]
    async fn g15_a_store_that_is_away_is_a_fault_of_the_start() {
        let store = crate::tests::fake_store::FakeStore::new();
        store.set_away(true);
        assert!(matches!(seed(&*store).await, Err(Fault::Load(_))));
    }

    fn price(source: PriceSource, web_search: i64) -> Price {
        Price {
            source,
            web_search: NanoUsd(web_search),
            ..Price::of_rates("openai", Vec::new())
        }
    }

    fn expectation(known: Option<Known>) -> Option<Expect> {
        let shipped = [("m".to_owned(), price(PriceSource::Shipped, 1))];
        let known = known.map(|known| ("m".to_owned(), known)).into_iter().collect();
        differences(&shipped, &known).first().map(|put| put.expect)
    }

    #[test]
    fn e04_a_manual_price_survives() {
        let manual = Known::Price(3, Box::new(price(PriceSource::Manual, 9)));
        assert_eq!(expectation(Some(manual)), None);
    }

    #[test]
    fn e04_only_what_differs_is_committed() {
        let shipped = |web_search| Known::Price(3, Box::new(price(PriceSource::Shipped, web_search)));
        assert_eq!(expectation(Some(shipped(1))), None);
        assert_eq!(expectation(Some(shipped(2))), Some(Expect::Version(3)));
        assert_eq!(expectation(None), Some(Expect::Absent));
        assert_eq!(expectation(Some(Known::Unreadable)), None);
    }
}
