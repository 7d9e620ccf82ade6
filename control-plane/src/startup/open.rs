//! Opens the store and builds what all services share.

use std::sync::Arc;

use penstock_store::{OpenOptions, Store};
use tokio::time::Instant;

use super::{Fault, Secrets, database_url, replica_name};
use crate::access::operators::Operators;
use crate::clock;
use crate::config::Config;
use crate::context::Context;
use crate::credentials::Sealer;
use crate::doctor::Setup;
use crate::index::Index;
use crate::metrics::Metrics;
use crate::nodes::NodeRegistry;
use crate::prices;
use crate::tokens::Tokens;

/// Opens the database, proves the master key, brings the shipped prices up to date and loads the configuration.
pub(crate) async fn open(config: &Config, secrets: &Secrets) -> Result<Context, Fault> {
    // To connect with it.
    let mut options = OpenOptions::new(database_url(config)?.expose());
    options.auto_migrate = config.database.auto_migrate;
    let sealer = Sealer::with(&secrets.master_key, &secrets.other_master_keys).map_err(Fault::Seal)?;
    let store = penstock_store::open(&options).await?;
    let setup = secrets.setup(config);
    let opened = build(config, Arc::clone(&store), sealer, setup).await;
    if opened.is_err() {
        store.close().await;
    }
    opened
}

async fn build(
    config: &Config,
    store: Arc<dyn Store>,
    sealer: Sealer,
    setup: Setup,
) -> Result<Context, Fault> {
    check_master_key(&*store, &sealer).await?;
    prices::seed(&*store).await?;
    let (sealer, metrics) = (Arc::new(sealer), Arc::new(Metrics::default()));
    let loaded = Index::load(&*store, Arc::clone(&sealer), Arc::clone(&metrics)).await;
    let index = Arc::new(loaded.map_err(Fault::Load)?);
    let name: Arc<str> = replica_name(config).into();
    let nodes = Arc::new(NodeRegistry::new(Arc::clone(&name)));
    let tokens = Tokens::new(&name, &config.trust.trusted_host).map_err(Fault::Outbound)?;
    let operators = Arc::new(Operators::new(Arc::clone(&store)));
    operators.refresh().await.map_err(Fault::Load)?;
    Ok(Context {
        store,
        index,
        sealer,
        nodes,
        fleet_states: Arc::default(),
        tokens: Arc::new(tokens),
        trusted_hosts: config.trust.trusted_host.clone().into(),
        operators,
        metrics,
        setup: Arc::new(setup),
        name,
        started: Instant::now(),
    })
}

/// The store keeps a known text sealed under the installation's master key. The first start makes it.
async fn check_master_key(store: &dyn Store, sealer: &Sealer) -> Result<(), Fault> {
    let checks = store.master_key_checks().await.map_err(Fault::Load)?;
    let present = sealer.key_id();
    if checks
        .iter()
        .any(|check| check.key_id == present && sealer.opens_check(check))
    {
        return Ok(());
    }
    // The first start, or the first with a new key, which the old one vouches for.
    if checks.is_empty() || checks.iter().any(|check| sealer.opens_check(check)) {
        let check = sealer.make_check().map_err(Fault::Seal)?;
        return store
            .add_master_key_check(&check, clock::now())
            .await
            .map_err(Fault::Load);
    }
    let known: Vec<_> = checks.into_iter().map(|check| check.key_id).collect();
    Err(Fault::WrongMasterKey {
        sealed_with: known.join(", "),
        given: sealer.key_id().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::MasterKey;
    use crate::tests::fake_store::FakeStore;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&MasterKey::from_bytes([byte; 32])).ok().unwrap()
    }

    #[tokio::test]
    async fn g06_the_old_master_key_vouches_for_the_new_one() {
        let store = FakeStore::new();
        let keys = [1, 2].map(|byte| MasterKey::from_bytes([byte; 32]));
        assert!(check_master_key(&*store, &sealer(1)).await.is_ok());
        let both = Sealer::with(&keys[1], &keys[..1]).ok().unwrap();
        assert!(check_master_key(&*store, &both).await.is_ok());
        assert!(check_master_key(&*store, &sealer(2)).await.is_ok());
    }

    #[tokio::test]
    async fn g15_another_master_key_than_the_first_is_refused_with_both_ids() {
        let store = FakeStore::new();
        assert!(check_master_key(&*store, &sealer(1)).await.is_ok());
        assert!(check_master_key(&*store, &sealer(1)).await.is_ok());
        let refused = check_master_key(&*store, &sealer(2))
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.contains(sealer(1).key_id()) && refused.contains(sealer(2).key_id()),
            "{refused}"
        );
    }
}
