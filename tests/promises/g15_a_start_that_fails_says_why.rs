//! G15 as a table: each fault of a start, of each program, is one message with the fix and an exit code that is not zero.

use std::process::Command;

use anyhow::{Result, ensure};
use penstock_tests::{ADMIN_TOKEN, NODE_TOKEN, binary, free_port};

const CONTROL: &str = "penstock-control-plane";
const DATA: &str = "penstock-data-plane";
const UP: &str = "penstock";

const ADMIN: (&str, &str) = ("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN);
const NODE: (&str, &str) = ("PENSTOCK_NODE_TOKEN", NODE_TOKEN);

struct Fault {
    program: &'static str,
    /// `KEY` stands for a master key's file, `DB` for a new SQLite database, `TEXT` for a file with nothing of use in it.
    args: &'static str,
    env: &'static [(&'static str, &'static str)],
    /// All of these are said.
    says: &'static [&'static str],
}

const fn fault(
    program: &'static str,
    args: &'static str,
    env: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
) -> Fault {
    Fault {
        program,
        args,
        env,
        says,
    }
}

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    // Database.
    fault(CONTROL, "--master-key-file KEY", &[ADMIN], &["no database is configured", "--database-url"]),
    fault(CONTROL, "--master-key-file KEY --database-url mysql://u:hunter2@h/d", &[ADMIN], &["Database connection failed", "postgres://"]),
    fault(CONTROL, "--master-key-file KEY --database-url postgres://u:hunter2@127.0.0.1:1/d", &[ADMIN], &["Database connection failed", "127.0.0.1:1"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB --auto-migrate false", &[ADMIN], &["Migration failed", "pending", "penstock migrate up"]),
    fault(CONTROL, "--master-key-file KEY --data-dir /dev/null/x", &[ADMIN], &["data directory", "--data-dir"]),
    // Tokens.
    fault(CONTROL, "--master-key-file KEY --database-url DB", &[], &["no admin token is configured", "openssl rand"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB", &[("PENSTOCK_ADMIN_TOKEN", "short")], &["admin token", "too short", "openssl rand"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB --admin-token-file /nonexistent", &[], &["/nonexistent", "cannot be read"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB", &[ADMIN, ("PENSTOCK_NODE_TOKEN", "changemechangemechangemechangeme")], &["node token", "PENSTOCK_NODE_TOKEN", "openssl rand"]),
    // Master key.
    fault(CONTROL, "--database-url DB", &[ADMIN], &["no master key is configured", "openssl rand"]),
    fault(CONTROL, "--database-url DB --master-key-file /nonexistent", &[ADMIN], &["/nonexistent"]),
    fault(CONTROL, "--database-url DB --master-key-file TEXT", &[ADMIN], &["32 bytes", "openssl rand"]),
    fault(CONTROL, "--database-url DB --master-key-file KEY --other-master-key-file /nonexistent", &[ADMIN], &["/nonexistent"]),
    // Listeners and TLS.
    fault(CONTROL, "--master-key-file KEY --database-url DB --listen-grpc 0.0.0.0:0", &[ADMIN], &["--tls-cert", "--insecure-plaintext"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB --insecure-plaintext --listen-grpc 192.0.2.1:9", &[ADMIN], &["--listen-grpc", "not one of this machine's"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB --tls-cert /nonexistent --tls-key TEXT", &[ADMIN], &["--tls-cert", "/nonexistent"]),
    fault(CONTROL, "--master-key-file KEY --database-url DB --tls-cert TEXT --tls-key TEXT", &[ADMIN], &["TLS files cannot be used", "PEM"]),
    // Data plane.
    fault(DATA, "--data-dir DIR", &[NODE], &["no control plane is named", "--control-plane"]),
    fault(DATA, "--data-dir DIR --control-plane nonsense", &[NODE], &["not usable", "https://HOST:9090"]),
    fault(DATA, "--data-dir DIR --control-plane http://192.0.2.1:9090", &[NODE], &["plain HTTP off loopback", "--insecure-plaintext"]),
    fault(DATA, "--data-dir DIR --control-plane http://127.0.0.1:1", &[], &["no proof of identity", "PENSTOCK_NODE_TOKEN"]),
    fault(DATA, "--data-dir DIR --control-plane http://127.0.0.1:1", &[("PENSTOCK_NODE_TOKEN", "short")], &["node token", "at least 32"]),
    fault(DATA, "--data-dir DIR --control-plane http://127.0.0.1:1 --tls-ca /nonexistent", &[NODE], &["--tls-ca", "/nonexistent"]),
    fault(DATA, "--data-dir DIR --control-plane http://127.0.0.1:1 --redis-url nonsense", &[NODE], &["redis"]),
    fault(DATA, "--data-dir /dev/null/x --control-plane http://127.0.0.1:1", &[NODE], &["/dev/null/x"]),
    fault(DATA, "--data-dir DIR --control-plane http://127.0.0.1:1 --listen 192.0.2.1:9", &[NODE], &["--listen", "does not have that address"]),
    // Both in one.
    fault(UP, "up --data-dir /dev/null/x", &[], &["/dev/null/x"]),
    fault(UP, "up --data-dir DIR", &[("PENSTOCK_ADMIN_TOKEN", "short")], &["admin token", "too short"]),
    fault(UP, "up --data-dir DIR --listen-grpc 0.0.0.0:0", &[], &["--tls-cert"]),
    fault(UP, "up --data-dir DIR --listen 192.0.2.1:9", &[], &["--listen", "does not have that address"]),
    fault(UP, "up --data-dir DIR --redis-url nonsense", &[], &["redis"]),
];

impl Fault {
    fn run(&self) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("key"), "07".repeat(32))?;
        std::fs::write(path("text"), "nothing of use")?;
        let args = self.args.split_whitespace().map(|arg| match arg {
            "KEY" => path("key"),
            "TEXT" => path("text"),
            "DIR" => path("data"),
            "DB" => format!("sqlite://{}", path("new.db")),
            arg => arg.to_owned(),
        });
        let mut args: Vec<String> = args.collect();
        let listeners: &[&str] = match self.program {
            CONTROL => &["--listen-grpc", "--listen-console"],
            DATA => &["--listen", "--listen-admin"],
            _ => &["--listen", "--listen-admin", "--listen-grpc", "--listen-console"],
        };
        for flag in listeners {
            if !args.iter().any(|arg| arg == flag) {
                args.extend([(*flag).to_owned(), format!("127.0.0.1:{}", free_port()?)]);
            }
        }
        let output = Command::new(binary(self.program)?)
            .env_clear()
            .env("HOME", folder.path())
            .envs(self.env.iter().copied())
            .current_dir(folder.path())
            .args(&args)
            .output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        ensure!(
            !output.status.success(),
            "{} {args:?} must not start: {said}",
            self.program
        );
        Ok(said)
    }
}

#[test]
fn g15_each_fault_of_a_start_is_said_with_its_fix() -> Result<()> {
    let mut wrong = Vec::new();
    for fault in FAULTS {
        let said = fault.run()?;
        let lower = said.to_lowercase();
        let missing: Vec<_> = fault
            .says
            .iter()
            .filter(|part| !lower.contains(&part.to_lowercase()))
            .collect();
        let panicked = lower.contains("panicked") || said.contains("hunter2");
        if !missing.is_empty() || panicked {
            wrong.push(format!(
                "{} {}\n  lacks {missing:?}: {said}",
                fault.program, fault.args
            ));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
