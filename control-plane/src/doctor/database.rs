//! The database: reachable, of this release, quick, with room; its clock; the keys that values are sealed under.

use std::path::Path;

use penstock_store::{Backend, DatabaseFacts};
use tokio::time::Instant;

use super::{Finding, Findings};
use crate::clock;
use crate::context::Context;

/// A question that takes longer is slow for one that counts a handful of rows.
const SLOW_MS: u128 = 250;
/// Clocks that differ by more make windows of limits and expiries wrong.
pub(super) const SKEW_MS: i64 = 5_000;
/// Less room than this is little, bytes.
const LITTLE_ROOM: u64 = 1 << 30;

pub(super) async fn check(context: &Context, found: &Findings) {
    let began = Instant::now();
    let facts = match context.store.examine().await {
        Ok(facts) => facts,
        Err(error) => {
            tracing::warn!(%error, "the database cannot be examined");
            let failed = Finding::fail("database", "the database does not answer")
                .why("Nothing can be changed, and usage waits in the data planes' spools; they serve on meanwhile.")
                .fix("Look at the control plane's log for `Database connection failed`; `penstock migrate status` tries the connection alone.");
            return found.tell(failed).await;
        }
    };
    let took = began.elapsed().as_millis();
    found.tell(answers(context.store.backend(), &facts, took)).await;
    found.tell(schema(&facts)).await;
    found.tell(clock_skew(&facts)).await;
    found.tell(master_key(context, &facts)).await;
    if facts.max_connections > 0 {
        found.tell(connections(&facts)).await;
    }
    if let Some(room) = context.setup.data_dir.as_deref().and_then(room) {
        found.tell(disk(room)).await;
    }
}

fn answers(backend: Backend, facts: &DatabaseFacts, took: u128) -> Finding {
    let what = format!(
        "{} answers within {took} ms, holds {}: {}",
        backend.as_str(),
        bytes(facts.bytes),
        facts.version.split(" on ").next().unwrap_or_default()
    );
    if took <= SLOW_MS {
        return Finding::ok("database", what);
    }
    Finding::warn("database", what)
        .why("A slow database makes changes, sign-in and the acknowledgement of usage slow; calls do not wait for it.")
        .fix("Look at its load and its disk; on Postgres at pg_stat_activity for queries that run long.")
}

fn schema(facts: &DatabaseFacts) -> Finding {
    let what = format!("migration {} of {}", facts.migration, facts.newest);
    if facts.migration != facts.newest {
        return Finding::warn("schema", what)
            .why("Another release has migrated the database while this one runs.")
            .fix("Run the same release on all control planes; see `penstock migrate status`.");
    }
    if facts.may_migrate {
        return Finding::ok("schema", what);
    }
    Finding::ok(
        "schema",
        format!("{what}; this user may not migrate, which is right where its owner does"),
    )
}

fn clock_skew(facts: &DatabaseFacts) -> Finding {
    let off = facts.now.0.saturating_sub(clock::now().0);
    let what = format!("the database's clock differs by {off} ms");
    if off.abs() <= SKEW_MS {
        return Finding::ok("clock", what).of("database");
    }
    Finding::warn("clock", what)
        .of("database")
        .why("Leases and expiries are compared between machines.")
        .fix("Let both machines take the time from NTP (`timedatectl`).")
}

fn master_key(context: &Context, facts: &DatabaseFacts) -> Finding {
    let present = context.sealer.key_id();
    let others: u64 = facts
        .sealed
        .iter()
        .filter(|(key, _)| *key != present)
        .map(|(_, n)| n)
        .sum();
    let all: u64 = facts.sealed.values().sum();
    let unopened: u64 = facts
        .sealed
        .iter()
        .filter(|(key, _)| !context.sealer.knows(key))
        .map(|(_, n)| n)
        .sum();
    if unopened > 0 {
        return Finding::fail("master key", format!("{unopened} of {all} sealed values are under a master key that is not here"))
            .why("Their providers have no credential, and calls pass them over.")
            .fix("Start the control planes with the old key beside the new one (`--other-master-key-file`), then `penstock master-key rotate`; or give each credential anew.");
    }
    if others > 0 {
        return Finding::warn(
            "master key",
            format!("{others} of {all} sealed values are still under an old master key"),
        )
        .why("The old key cannot be put away before.")
        .fix("`penstock master-key rotate`");
    }
    if context.sealer.others() > 0 {
        return Finding::warn("master key", format!("another master key is still given, and none of {all} values needs it"))
            .why("Whoever has it and an old backup can read credentials.")
            .fix("Start the control planes without `--other-master-key-file`, and put the file away with its backups.");
    }
    Finding::ok(
        "master key",
        format!("{all} values are sealed under key {present}"),
    )
}

fn connections(facts: &DatabaseFacts) -> Finding {
    let what = format!(
        "{} of {} connections to Postgres are in use",
        facts.connections, facts.max_connections
    );
    if facts.connections.saturating_mul(10) < facts.max_connections.saturating_mul(9) {
        return Finding::ok("connections", what);
    }
    Finding::warn("connections", what)
        .why("Control planes that need one more wait, then fail.")
        .fix("Raise max_connections, or stop what holds them: see pg_stat_activity.")
}

fn disk(room: u64) -> Finding {
    let what = format!("{} free in the data directory", bytes(room));
    if room >= LITTLE_ROOM {
        return Finding::ok("disk", what);
    }
    Finding::warn("disk", what)
        .why("Without room nothing can be changed and no usage stored.")
        .fix("Make room, or let retention keep less.")
}

/// Free to this user, bytes.
fn room(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn bytes(n: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, size)| n >= *size);
    unit.map_or_else(
        || format!("{n} bytes"),
        |(name, size)| format!("{} {name}", n / size),
    )
}

#[cfg(test)]
mod tests {
    use penstock_core::time::UnixMs;

    use super::*;
    use crate::doctor::Level;

    fn facts() -> DatabaseFacts {
        DatabaseFacts {
            version: "PostgreSQL 17.2 on x86_64".to_owned(),
            bytes: 5 << 20,
            now: clock::now(),
            migration: 21,
            newest: 21,
            may_migrate: true,
            ..DatabaseFacts::default()
        }
    }

    #[test]
    fn g06_a_slow_database_is_a_warning_and_says_what_to_look_at() {
        let quick = answers(Backend::Postgres, &facts(), 3);
        assert_eq!(
            (quick.level, quick.what.as_str()),
            (
                Level::Ok,
                "postgres answers within 3 ms, holds 5 MB: PostgreSQL 17.2"
            )
        );
        let slow = answers(Backend::Postgres, &facts(), 900);
        assert!(slow.level == Level::Warn && !slow.why.is_empty() && !slow.fix.is_empty());
    }

    #[test]
    fn g06_a_clock_that_is_off_is_found() {
        assert_eq!(clock_skew(&facts()).level, Level::Ok);
        let off = DatabaseFacts {
            now: UnixMs(clock::now().0 - 60_000),
            ..facts()
        };
        assert_eq!(clock_skew(&off).level, Level::Warn);
    }

    #[test]
    fn g06_connections_that_run_out_are_found_before() {
        let used = |connections| connections_level(connections);
        assert_eq!((used(10), used(95)), (Level::Ok, Level::Warn));
    }

    fn connections_level(used: u64) -> Level {
        connections(&DatabaseFacts {
            connections: used,
            max_connections: 100,
            ..facts()
        })
        .level
    }
}
