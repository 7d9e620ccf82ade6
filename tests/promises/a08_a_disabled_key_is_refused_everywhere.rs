//! A8: what one control plane commits is in force on every data plane within a second, whichever replica it hangs on.

use std::time::Duration;

use anyhow::Result;
use penstock_tests::{Stack, anthropic_body};
use tokio::time::Instant;

#[tokio::test]
async fn a08_a_key_disabled_at_one_control_plane_is_refused_on_three_data_planes_within_a_second()
-> Result<()> {
    let stack = Stack::builder().control_planes(2).data_planes(3).start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    for data in 0..3 {
        let answer = stack
            .messages(data, &key, &anthropic_body("hello", false))
            .await?;
        assert_eq!(
            answer.status(),
            200,
            "data plane {data}: {}",
            answer.text().await?
        );
    }

    stack
        .cli(1)
        .run(&["key", "disable", "alice/laptop", "--reason", "lost"])?;
    let committed = Instant::now();
    let mut refused = [false; 3];
    while refused != [true; 3] {
        assert!(
            committed.elapsed() < Duration::from_secs(1),
            "not refused everywhere within a second: {refused:?}"
        );
        for (data, refused) in refused.iter_mut().enumerate() {
            let answer = stack
                .messages(data, &key, &anthropic_body("hello", false))
                .await?;
            *refused = answer.status() == 401 && answer.text().await?.contains("Key is disabled");
        }
    }

    stack.cli(0).run(&["key", "enable", "laptop"])?;
    stack.synced().await?;
    for data in 0..3 {
        assert_eq!(
            stack
                .messages(data, &key, &anthropic_body("again", false))
                .await?
                .status(),
            200
        );
    }
    Ok(())
}

#[tokio::test]
async fn a08_a_deleted_user_takes_its_keys_with_it() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.cli(0).run(&["user", "delete", "alice"])?;
    stack.synced().await?;
    let answer = stack.messages(0, &key, &anthropic_body("hello", false)).await?;
    assert_eq!(answer.status(), 401);
    assert!(answer.text().await?.contains("Invalid API key"));
    Ok(())
}

#[tokio::test]
async fn a03_a_rotated_key_keeps_its_old_secret_for_the_overlap() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let old = stack.prepare()?;
    let rotated = stack
        .cli(0)
        .json(&["key", "rotate", "laptop", "--overlap", "24h"])?;
    let new = rotated["secret"].as_str().unwrap().to_owned();
    stack.synced().await?;
    for key in [&old, &new] {
        assert_eq!(
            stack
                .messages(0, key, &anthropic_body("hello", false))
                .await?
                .status(),
            200
        );
    }
    let again = stack.cli(0).json(&["key", "rotate", "laptop"])?;
    stack.synced().await?;
    for key in [&old, &new] {
        assert_eq!(
            stack
                .messages(0, key, &anthropic_body("hello", false))
                .await?
                .status(),
            401
        );
    }
    let found = stack.cli(0).run_with(
        &["key", "find", "--secret", "-", "-o", "json"],
        again["secret"].as_str().unwrap(),
    )?;
    assert!(found.contains("laptop") && found.contains("valid"), "{found}");
    Ok(())
}

#[tokio::test]
async fn a03_keys_of_other_relays_go_on_working() -> Result<()> {
    let stack = Stack::builder().start().await?;
    stack.prepare()?;
    let cli = stack.cli(0);
    let (plain, suffixed) = ("cr_0123456789abcdef0123", "cr_fedcba9876543210fedc");
    cli.run_with(
        &[
            "key", "create", "--user", "alice", "--name", "imported", "--secret", "-",
        ],
        plain,
    )?;
    cli.run_with(&["key", "import-suffix", "relay", "--secret", "-"], "pepper")?;
    let hash = penstock_core::api_key::KeyHash::of_suffixed(suffixed, "pepper");
    let hash = String::from(hash);
    let args = [
        "key",
        "create",
        "--user",
        "alice",
        "--name",
        "hashed",
        "--sha256",
        &hash,
        "--import-suffix",
        "relay",
    ];
    cli.run(&args)?;
    stack.synced().await?;
    for key in [plain, suffixed] {
        let answer = stack.messages(0, key, &anthropic_body("hello", false)).await?;
        assert_eq!(answer.status(), 200, "{}", answer.text().await?);
    }
    penstock_tests::until("the suffixed hash was replaced at first use", || async {
        let key = cli.json(&["key", "get", "hashed"])?;
        Ok(key["import_suffix"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
            .then_some(()))
    })
    .await?;
    stack.synced().await?;
    assert_eq!(
        stack
            .messages(0, suffixed, &anthropic_body("again", false))
            .await?
            .status(),
        200
    );
    Ok(())
}
