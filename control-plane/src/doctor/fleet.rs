//! Data planes: connected, of this release, at the newest revision, in time, with Redis and with an empty spool.

use penstock_core::resource::SCHEMA;
use penstock_core::time::UnixMs;
use penstock_store::{Head, NodeRow};

use super::{Finding, Findings};
use crate::clock;
use crate::context::Context;
use crate::nodes::{Health, live_since};

use super::database::SKEW_MS;

/// Nodes that were seen in this time and are gone now are worth a word.
const RECENT_MS: i64 = 24 * 3_600_000;
/// Records that wait beyond these are not on their way, but stuck.
const MANY_RECORDS: u64 = 10_000;
/// A revision is in force everywhere within seconds.
const BEHIND_MS: i64 = 10_000;

pub(super) async fn check(context: &Context, found: &Findings) {
    let now = clock::now();
    let rows = context.store.nodes(UnixMs(now.0.saturating_sub(RECENT_MS))).await;
    let (Ok(rows), Ok(head)) = (rows, context.store.head().await) else {
        let finding = Finding::warn(
            "data planes",
            "could not be looked at: the database does not answer",
        );
        return found.tell(finding).await;
    };
    let since = live_since(now);
    let (live, gone): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row.connected && row.last_seen >= since);
    found.tell(any(&live)).await;
    for row in gone.iter().filter(|row| row.connected) {
        found.tell(silent(row, now)).await;
    }
    for row in &live {
        for finding in of_node(row, head, now) {
            found.tell(finding).await;
        }
    }
    found.tell(redis(&live)).await;
}

fn any(live: &[NodeRow]) -> Finding {
    match live.len() {
        0 => Finding::fail("data planes", "no data plane is connected")
            .why("Nobody serves calls with what is configured here.")
            .fix("Start one with `penstock-data-plane --control-plane URL`; `penstock node list` shows those that were there."),
        n => Finding::ok("data planes", format!("{n} connected")),
    }
}

fn silent(row: &NodeRow, now: UnixMs) -> Finding {
    let seconds = now.0.saturating_sub(row.last_seen.0) / 1000;
    Finding::warn(
        "node",
        format!("was last heard of {seconds} s ago and has not said that it leaves"),
    )
    .of(&row.id)
    .why("It was killed, or cannot reach a control plane; then it serves on with an old configuration.")
    .fix("Look at its log and its network; `penstock node list`.")
}

fn of_node(row: &NodeRow, head: Head, now: UnixMs) -> Vec<Finding> {
    let health = row
        .health
        .clone()
        .and_then(|json| serde_json::from_value::<Health>(json).ok());
    let mut found: Vec<Finding> = [behind(row, head, now), outdated(row), refuses(row)]
        .into_iter()
        .flatten()
        .collect();
    if let Some(health) = &health {
        found.extend(
            [spool(health), skew(health), redis_skew(health), draining(health)]
                .into_iter()
                .flatten(),
        );
    }
    if found.is_empty() {
        found.push(Finding::ok(
            "node",
            format!(
                "runs {} at revision {}",
                row.version,
                row.held.map_or(0, |held| held.revision)
            ),
        ));
    }
    found.into_iter().map(|finding| finding.of(&row.id)).collect()
}

fn behind(row: &NodeRow, head: Head, now: UnixMs) -> Option<Finding> {
    let held = row.held.filter(|held| held.epoch == head.epoch);
    let lag = head.revision.saturating_sub(held.map_or(0, |held| held.revision));
    let since = now
        .0
        .saturating_sub(row.acked_at.unwrap_or(row.connected_since).0);
    (lag > 0 && since > BEHIND_MS).then(|| {
        Finding::fail("node", format!("is {lag} revisions behind"))
            .why("It serves with an old configuration: a key that was disabled still works there.")
            .fix("`penstock node list`; if it stays so, restart the data plane.")
    })
}

fn outdated(row: &NodeRow) -> Option<Finding> {
    let ours = env!("CARGO_PKG_VERSION");
    if row.schema < SCHEMA {
        let what = format!(
            "is of release {}, which does not know all that can be configured",
            row.version
        );
        return Some(
            Finding::fail("node", what)
                .why("What it does not know it refuses, and denies the users and keys concerned.")
                .fix("Upgrade the data plane."),
        );
    }
    (row.version != ours).then(|| {
        Finding::warn("node", format!("runs {}, this control plane {ours}", row.version))
            .why("Mixed releases are for the time of an upgrade.")
            .fix("Upgrade the older of the two.")
    })
}

fn refuses(row: &NodeRow) -> Option<Finding> {
    let first = row.refused.first()?;
    let what = format!(
        "refuses {} resources; the first is {}: {}",
        row.refused.len(),
        first.resource,
        first.reason
    );
    Some(
        Finding::fail("node", what)
            .why("A refused provider or price stays as it was there; a refused user or key is denied.")
            .fix("`penstock node list` names them all; correct them, or upgrade the data plane."),
    )
}

fn spool(health: &Health) -> Option<Finding> {
    if health.spool_dropped > 0 {
        let what = format!("has lost {} usage records", health.spool_dropped);
        return Some(
            Finding::fail("node", what)
                .why("Its spool was full: that usage is in no ledger and on no bill.")
                .fix("Bring the control plane and its database back, give the spool more room (`--spool-max-bytes`), or let it refuse calls instead (`--spool-full shed`)."),
        );
    }
    (health.spool_records > MANY_RECORDS).then(|| {
        Finding::warn(
            "node",
            format!(
                "has {} usage records that are not in the ledger yet",
                health.spool_records
            ),
        )
        .why("Budgets see them late; when the spool is full, records are lost or calls refused.")
        .fix("See whether the database is slow (`penstock doctor`, check `database`).")
    })
}

fn skew(health: &Health) -> Option<Finding> {
    // A release that did not say when it was received says nothing of clocks.
    let received = Some(health.received.0).filter(|at| *at > 0)?;
    let off = health.at.0.saturating_sub(received);
    (off.abs() > SKEW_MS).then(|| {
        Finding::warn("clock", format!("its clock differs by {off} ms"))
            .why("Expiries, active hours and windows of limits are kept by the data plane's clock; signed requests to AWS are refused.")
            .fix("Let the machine take the time from NTP (`timedatectl`).")
    })
}

fn redis_skew(health: &Health) -> Option<Finding> {
    let off = health.redis_ahead_ms;
    (off.abs() > SKEW_MS).then(|| {
        Finding::warn("clock", format!("the clock of Redis differs by {off} ms from its own"))
            .why("Windows of limits are kept by the clock of Redis: they begin and end at another time than the ledger's, and jump when Redis moves to a machine whose clock is right.")
            .fix("Let the machine of Redis take the time from NTP (`timedatectl`).")
    })
}

fn draining(health: &Health) -> Option<Finding> {
    health.draining.then(|| {
        Finding::warn(
            "node",
            "is draining: it is not ready and takes no new connections from balancers",
        )
        .why("It is on its way out, or an operator asked for it.")
        .fix("`penstock node drain NODE --undo` when that was it.")
    })
}

fn redis(live: &[NodeRow]) -> Finding {
    let states: Vec<(&str, String)> = live
        .iter()
        .filter_map(|row| Some((row.id.as_str(), redis_of(row)?)))
        .collect();
    let without: Vec<&str> = states
        .iter()
        .filter(|(_, state)| state != "connected")
        .map(|(id, _)| *id)
        .collect();
    let configured = states.iter().any(|(_, state)| state != "none" && state != "off");
    match (configured, without.is_empty(), states.len()) {
        (_, true, 0) if live.is_empty() => Finding::ok("redis", "nobody is there to use it"),
        (_, true, 0) => Finding::ok("redis", "not known yet: no data plane has told of it"),
        (_, true, n) => Finding::ok("redis", format!("connected from {n} data planes")),
        (false, false, 1) => Finding::ok("redis", "none; one data plane counts limits by itself"),
        (false, false, n) => Finding::warn("redis", format!("none, and {n} data planes"))
            .why("Each counts limits and sessions for itself, so that limits hold for each and not for all together.")
            .fix("Give all data planes the same `--redis-url` (PENSTOCK_REDIS_URL)."),
        (true, false, _) => Finding::fail("redis", format!("not connected from {}", without.join(", ")))
            .why("Limits are held there as the setting `limits` says for a Redis that is away, and sessions are not shared.")
            .fix("Look for `Redis connection error` in their log, then at Redis itself; the policy: `penstock setting set limits --degraded local`."),
    }
}

fn redis_of(row: &NodeRow) -> Option<String> {
    let health: Health = serde_json::from_value(row.health.clone()?).ok()?;
    Some(health.redis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> NodeRow {
        NodeRow {
            id: "node".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            zone: String::new(),
            schema: SCHEMA,
            connected: true,
            control_plane: "replica".to_owned(),
            connected_since: UnixMs(0),
            last_seen: UnixMs(0),
            held: None,
            acked_at: None,
            refused: Vec::new(),
            health: None,
        }
    }

    #[test]
    fn g06_a_node_that_told_nothing_is_not_connected_to_redis() {
        let row = |health: Option<Health>| NodeRow {
            health: health.map(|health| serde_json::to_value(health).unwrap()),
            ..node()
        };
        let connected = Health {
            redis: "connected".to_owned(),
            ..Health::default()
        };
        assert!(redis(&[row(None)]).what.contains("not known yet"));
        let found = redis(&[row(Some(connected)), row(None)]);
        assert!(found.what.contains("from 1 data planes"), "{found:?}");
    }

    #[test]
    fn g06_a_redis_whose_clock_is_off_is_told_for_each_node_that_sees_it() {
        let health = |ahead| Health {
            redis_ahead_ms: ahead,
            ..Health::default()
        };
        assert_eq!(redis_skew(&health(SKEW_MS)), None);
        for off in [SKEW_MS + 1, -60_000] {
            let found = redis_skew(&health(off)).unwrap();
            assert!(found.what.contains(&off.to_string()), "{found:?}");
        }
    }
}
