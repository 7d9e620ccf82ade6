//! The control plane and its fleet at a glance.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{View, fields};

/// `penstock status`.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// Where it was asked.
    pub server: String,
    pub control_plane: String,
    /// The server's release.
    pub version: String,
    /// This program's release.
    pub cli_version: &'static str,
    pub uptime_ms: i64,
    /// `postgres` or `sqlite`.
    pub database: String,
    pub database_ok: bool,
    /// What is wrong with it; empty when nothing is.
    pub database_error: String,
    pub epoch: String,
    /// The newest revision.
    pub head: u64,
    pub providers: u32,
    pub users: u32,
    pub keys: u32,
    pub prices: u32,
    pub nodes_connected: u32,
    pub nodes_behind: u32,
    pub resources_refused: u32,
    /// Nothing is refused for a limit.
    pub limits_off: bool,
    /// None: until an operator says so.
    pub limits_off_until: Option<String>,
}

impl Status {
    pub(crate) fn read(status: wire::GetStatusResponse, server: &str) -> Self {
        Self {
            server: server.to_owned(),
            control_plane: status.control_plane,
            version: status.version,
            cli_version: env!("CARGO_PKG_VERSION"),
            uptime_ms: status.uptime_ms,
            database: status.database,
            database_ok: status.database_ok,
            database_error: status.database_error,
            epoch: status.epoch,
            head: status.head,
            providers: status.providers,
            users: status.users,
            keys: status.keys,
            prices: status.prices,
            nodes_connected: status.nodes_connected,
            nodes_behind: status.nodes_behind,
            resources_refused: status.resources_refused,
            limits_off: status.limits_off,
            limits_off_until: status.limits_off_until_ms.map(|ms| UnixMs(ms).to_string()),
        }
    }

    fn database_line(&self) -> String {
        match self.database_ok {
            true => format!("{}, connected", self.database),
            false => format!("{}, NOT AVAILABLE: {}", self.database, self.database_error),
        }
    }

    /// What must not be overlooked: first, and with the way out.
    fn warning(&self) -> String {
        if !self.limits_off {
            return String::new();
        }
        let until = self
            .limits_off_until
            .as_ref()
            .map(|until| format!(" until {until}"));
        format!(
            "WARNING: limits are switched off{}; everything is counted, nothing is refused. To switch them on:\n\
             penstock setting set limits --enabled\n\n",
            until.unwrap_or_default()
        )
    }
}

impl View for Status {
    fn table(&self) -> String {
        let uptime = std::time::Duration::from_millis(u64::try_from(self.uptime_ms).unwrap_or_default());
        let table = fields(&[
            ("server", format!("{} ({})", self.server, self.control_plane)),
            (
                "version",
                format!("{} (this penstock: {})", self.version, self.cli_version),
            ),
            ("uptime", format!("{} s", uptime.as_secs())),
            ("database", self.database_line()),
            ("revision", self.head.to_string()),
            ("providers", self.providers.to_string()),
            ("users", self.users.to_string()),
            ("keys", self.keys.to_string()),
            ("prices", self.prices.to_string()),
            (
                "data planes",
                format!("{} connected, {} behind", self.nodes_connected, self.nodes_behind),
            ),
            ("refused resources", self.resources_refused.to_string()),
        ]);
        format!("{}{table}", self.warning())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_seen_at_a_glance() {
        let answer = wire::GetStatusResponse {
            database: "postgres".into(),
            database_error: "no connection".into(),
            ..wire::GetStatusResponse::default()
        };
        let status = Status::read(answer, "http://127.0.0.1:9090");
        assert!(status.table().contains("postgres, NOT AVAILABLE: no connection"));
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!(
            (&json["database"], &json["database_ok"]),
            (&"postgres".into(), &false.into())
        );
    }

    #[test]
    fn d08_limits_that_are_off_are_the_first_thing_said() {
        let status = |off, until| {
            let answer = wire::GetStatusResponse {
                limits_off: off,
                limits_off_until_ms: until,
                ..wire::GetStatusResponse::default()
            };
            Status::read(answer, "http://127.0.0.1:9090")
        };
        let off = status(true, Some(1_700_000_000_000));
        assert!(
            off.table()
                .starts_with("WARNING: limits are switched off until 2023-11-14T22:13:20Z; "),
            "{}",
            off.table()
        );
        let json = serde_json::to_value(&off).unwrap();
        assert_eq!(
            (&json["limits_off"], &json["limits_off_until"]),
            (&true.into(), &"2023-11-14T22:13:20Z".into())
        );
        assert!(status(true, None).table().contains("switched off; everything"));
        assert!(!status(false, None).table().contains("WARNING"));
    }
}
