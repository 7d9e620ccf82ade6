//! The fake store has no database to look at, and nothing to seal anew.

use async_trait::async_trait;
use penstock_store::*;

use super::fake_store::FakeStore;

#[async_trait]
impl Upkeep for FakeStore {
    async fn examine(&self) -> Result<DatabaseFacts, Error> {
        Ok(DatabaseFacts::default())
    }

    async fn sealed_otherwise(&self, _: &str, _: u32) -> Result<Vec<(SealedPlace, Sealed)>, Error> {
        Ok(Vec::new())
    }

    async fn reseal(&self, _: &SealedPlace, _: &Sealed, _: &Sealed) -> Result<bool, Error> {
        Ok(false)
    }

    async fn forget_master_key_checks(&self, _: &str) -> Result<u64, Error> {
        Ok(0)
    }
}
