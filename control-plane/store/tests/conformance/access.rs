//! Access rules of users and keys are kept whole (behaviour A4).

use penstock_core::access::{Access, Activation, Rules};
use penstock_core::client::{ClientRule, KnownClient};
use penstock_core::dialect::Dialect;
use penstock_core::model::ModelPattern;
use penstock_core::time::UnixMs;
use penstock_store::{Expect, NewSpec, Put, StoredSpec};

use crate::bench::{Bench, on_both};
use crate::build::*;

fn rules() -> Access {
    Access {
        rules: Rules {
            allowed_dialects: vec![Dialect::Anthropic],
            allowed_clients: vec![ClientRule::Known(KnownClient::GeminiCli)],
            blocked_clients: vec![ClientRule::UserAgent(ModelPattern::Regex(
                "curl/.*".to_owned().into(),
            ))],
            allowed_addresses: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        }
        .shared(),
        activation: Some(Activation {
            expires_after_ms: 5,
            first_used_at: Some(UnixMs(7)),
            granted_at: Some(UnixMs(6)),
        }),
        ..Access::default()
    }
}

async fn a04_rules_read_back_whole_and_raise_the_schema(bench: Bench) {
    let mut user = user("ann");
    user.access = rules();
    let mut owned = key(1, "laptop");
    owned.access = rules();
    let both = commit()
        .with(Put::new(user_ref(1), NewSpec::User(user.clone())))
        .with(put_key(1, owned.clone()))
        .with(put_key(2, key(1, "plain")));
    bench.store.commit(both).await.unwrap();
    let stored = bench.store.get(&user_ref(1)).await.unwrap().unwrap();
    assert_eq!((stored.min_schema, stored.spec), (4, StoredSpec::User(user)));
    let stored = bench.store.get(&key_ref(1)).await.unwrap().unwrap();
    assert_eq!(
        (stored.min_schema, stored.spec),
        (4, StoredSpec::Key(Box::new(owned)))
    );
    let plain = bench.store.get(&key_ref(2)).await.unwrap().unwrap();
    assert_eq!(plain.min_schema, 1);
}

async fn a04_rules_can_be_taken_away(bench: Bench) {
    let mut limited = key(1, "laptop");
    limited.access = rules();
    let first = commit().with(put_user(1, "ann")).with(put_key(1, limited));
    bench.store.commit(first).await.unwrap();
    let free = put_key(1, key(1, "laptop")).expecting(Expect::Version(1));
    bench.store.commit(commit().with(free)).await.unwrap();
    let stored = bench.store.get(&key_ref(1)).await.unwrap().unwrap();
    let StoredSpec::Key(key) = stored.spec else {
        panic!("a key")
    };
    assert_eq!((stored.min_schema, key.access), (1, Access::default()));
}

on_both!(
    a04_rules_read_back_whole_and_raise_the_schema,
    a04_rules_can_be_taken_away,
);
