//! G15: what stops a server from starting is said in one clear message with the fix, and the exit code is not zero.

use std::net::TcpListener;
use std::process::Command;

use anyhow::Result;
use penstock_tests::{ADMIN_TOKEN, Database, NODE_TOKEN, Stack, binary, free_port};

/// How a server ends that cannot start.
fn fault(program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let (a, b) = (
        format!("127.0.0.1:{}", free_port()?),
        format!("127.0.0.1:{}", free_port()?),
    );
    let mut command = Command::new(binary(program)?);
    command
        .env_clear()
        .envs(env.iter().copied())
        .current_dir(folder.path())
        .args(args);
    let listeners: &[&str] = match program {
        "penstock-control-plane" => &["--listen-grpc", "--listen-console"],
        _ => &["--listen", "--listen-admin"],
    };
    for (flag, address) in listeners.iter().zip([&a, &b]) {
        if !args.contains(flag) {
            command.args([flag, &address.as_str()]);
        }
    }
    let output = command.output()?;
    assert!(!output.status.success(), "{program} {args:?} must not start");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn master_key(folder: &tempfile::TempDir) -> Result<String> {
    let path = folder.path().join("master.key");
    std::fs::write(&path, "07".repeat(32))?;
    Ok(path.to_string_lossy().into_owned())
}

#[tokio::test]
async fn g15_a_database_that_is_down_is_named_without_its_password() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = master_key(&folder)?;
    let url = format!("postgres://penstock:hunter2@127.0.0.1:{}/penstock", free_port()?);
    let args = ["--database-url", &url, "--master-key-file", &key];
    let text = fault(
        "penstock-control-plane",
        &args,
        &[("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN)],
    )?;
    assert!(
        text.contains("Database connection failed") && !text.contains("hunter2"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn g15_a_weak_or_known_admin_token_is_refused_with_the_fix() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = master_key(&folder)?;
    let args = ["--database-url", "sqlite://x.db", "--master-key-file", &key];
    for weak in ["short", "  changeme  "] {
        let text = fault("penstock-control-plane", &args, &[("PENSTOCK_ADMIN_TOKEN", weak)])?;
        assert!(text.contains("at least 32"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn g15_a_taken_port_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = master_key(&folder)?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let args = [
        "--database-url",
        "sqlite://x.db",
        "--master-key-file",
        &key,
        "--listen-grpc",
        &address,
    ];
    let text = fault(
        "penstock-control-plane",
        &args,
        &[("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN)],
    )?;
    assert!(text.contains(&address) && text.contains("in use"), "{text}");
    let args = ["--control-plane", "http://127.0.0.1:1", "--listen", &address];
    let text = fault(
        "penstock-data-plane",
        &args,
        &[("PENSTOCK_NODE_TOKEN", NODE_TOKEN)],
    )?;
    assert!(text.contains(&address) && text.contains("in use"), "{text}");
    Ok(())
}

#[tokio::test]
async fn g15_plaintext_between_the_planes_off_loopback_is_refused() -> Result<()> {
    let args = ["--control-plane", "http://penstock.example.org:9090"];
    let text = fault(
        "penstock-data-plane",
        &args,
        &[("PENSTOCK_NODE_TOKEN", NODE_TOKEN)],
    )?;
    assert!(
        text.contains("https") && text.contains("--insecure-plaintext"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn g15_a_wrong_master_key_is_a_clear_error() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    stack.prepare()?;
    stack.control[0].kill()?;
    let other = stack.folder.path().join("other.key");
    std::fs::write(&other, "08".repeat(32))?;
    let other = other.to_string_lossy().into_owned();
    let args = ["--database-url", &stack.database_url, "--master-key-file", &other];
    let text = fault(
        "penstock-control-plane",
        &args,
        &[("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN)],
    )?;
    assert!(text.contains("master key"), "{text}");
    Ok(())
}

#[tokio::test]
async fn g15_pending_migrations_are_listed_when_they_are_not_to_run_by_themselves() -> Result<()> {
    let database = Database::create().await?;
    let folder = tempfile::tempdir()?;
    let key = master_key(&folder)?;
    let args = [
        "--database-url",
        &database.url,
        "--master-key-file",
        &key,
        "--auto-migrate",
        "false",
    ];
    let text = fault(
        "penstock-control-plane",
        &args,
        &[("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN)],
    )?;
    assert!(
        text.contains("0001") && text.contains("penstock migrate up"),
        "{text}"
    );

    let migrate = |what: &str| {
        Command::new(binary("penstock")?)
            .args(["migrate", what, "--database-url", &database.url])
            .output()
            .map_err(anyhow::Error::from)
    };
    assert!(String::from_utf8_lossy(&migrate("status")?.stdout).contains("pending"));
    assert!(migrate("up")?.status.success());
    assert!(!String::from_utf8_lossy(&migrate("status")?.stdout).contains("pending"));
    Ok(())
}

#[tokio::test]
async fn g15_a_missing_privilege_names_the_grant() -> Result<()> {
    let database = Database::create().await?;
    let role = format!("r_{}", uuid::Uuid::now_v7().simple());
    database
        .execute(&format!(
            "create role {role} login; revoke create on schema public from public"
        ))
        .await?;
    let url = database
        .url
        .replace("postgres://postgres@", &format!("postgres://{role}@"));
    let folder = tempfile::tempdir()?;
    let key = master_key(&folder)?;
    let args = ["--database-url", &url, "--master-key-file", &key];
    let text = fault(
        "penstock-control-plane",
        &args,
        &[("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN)],
    )?;
    assert!(
        text.contains("Migration failed") && text.contains("GRANT") && text.contains(&role),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn g15_a_redis_that_is_down_is_a_warning_only() -> Result<()> {
    let url = format!("--redis-url=redis://:hunter2@127.0.0.1:{}", free_port()?);
    let stack = Stack::builder().data_plane_flag(&url).start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let answer = stack
        .messages(0, &key, &penstock_tests::anthropic_body("hello", false))
        .await?;
    assert_eq!(answer.status(), 200);
    stack.data[0].tells("Redis connection error").await?;
    let log = stack.data[0].log();
    assert_eq!(log.matches("Redis connection error").count(), 1, "{log}");
    assert!(!log.contains("hunter2"));
    Ok(())
}
