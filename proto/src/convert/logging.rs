//! The settings about logs.

use penstock_core::invalid::Invalid;
use penstock_core::setting::{DebugSubject, DebugWindow, HttpDebug, LogLevel, LoggingPolicy};
use penstock_core::time::UnixMs;

use super::required;
use crate::config::v1 as wire;

pub(super) fn policy_to_wire(policy: &LoggingPolicy) -> wire::LoggingPolicy {
    let targets = policy.targets.iter();
    wire::LoggingPolicy {
        level: policy.level.map_or(0, |level| level_to_wire(level).into()),
        targets: targets
            .map(|(target, level)| (target.clone(), level_to_wire(*level).into()))
            .collect(),
        hash_user_ids: policy.hash_user_ids,
    }
}

pub(super) fn policy_from_wire(policy: wire::LoggingPolicy) -> Result<LoggingPolicy, Invalid> {
    let mut targets = std::collections::BTreeMap::new();
    for (target, level) in policy.targets {
        let field = format!("logging.targets.{target}");
        let level = level_from_wire(&field, level)?.ok_or_else(|| Invalid::new(field, "has no level"))?;
        targets.insert(target, level);
    }
    Ok(LoggingPolicy {
        level: level_from_wire("logging.level", policy.level)?,
        targets,
        hash_user_ids: policy.hash_user_ids,
    })
}

fn level_to_wire(level: LogLevel) -> wire::LogLevel {
    match level {
        LogLevel::Off => wire::LogLevel::Off,
        LogLevel::Error => wire::LogLevel::Error,
        LogLevel::Warn => wire::LogLevel::Warn,
        LogLevel::Info => wire::LogLevel::Info,
        LogLevel::Debug => wire::LogLevel::Debug,
        LogLevel::Trace => wire::LogLevel::Trace,
    }
}

/// None: not said.
fn level_from_wire(field: &str, level: i32) -> Result<Option<LogLevel>, Invalid> {
    let unknown = |_| {
        Invalid::new(
            field,
            format!("has the value {level}, which this release does not know"),
        )
    };
    Ok(match wire::LogLevel::try_from(level).map_err(unknown)? {
        wire::LogLevel::Unspecified => None,
        wire::LogLevel::Off => Some(LogLevel::Off),
        wire::LogLevel::Error => Some(LogLevel::Error),
        wire::LogLevel::Warn => Some(LogLevel::Warn),
        wire::LogLevel::Info => Some(LogLevel::Info),
        wire::LogLevel::Debug => Some(LogLevel::Debug),
        wire::LogLevel::Trace => Some(LogLevel::Trace),
    })
}

pub(super) fn debug_to_wire(debug: &HttpDebug) -> wire::HttpDebug {
    use wire::debug_window::Subject;
    let window = |window: &DebugWindow| wire::DebugWindow {
        subject: Some(match window.subject {
            DebugSubject::Key(id) => Subject::KeyId(id.to_string()),
            DebugSubject::Provider(id) => Subject::ProviderId(id.to_string()),
        }),
        until_ms: window.until.0,
        bodies: window.bodies,
    };
    wire::HttpDebug {
        windows: debug.windows.iter().map(window).collect(),
    }
}

pub(super) fn debug_from_wire(debug: wire::HttpDebug) -> Result<HttpDebug, Invalid> {
    use wire::debug_window::Subject;
    let window = |(i, window): (usize, wire::DebugWindow)| {
        let field = format!("http_debug.windows[{i}].subject");
        let bad = || Invalid::new(field.clone(), "is not an id");
        Ok(DebugWindow {
            subject: match required(&field, window.subject)? {
                Subject::KeyId(id) => DebugSubject::Key(id.parse().map_err(|_| bad())?),
                Subject::ProviderId(id) => DebugSubject::Provider(id.parse().map_err(|_| bad())?),
            },
            until: UnixMs(window.until_ms),
            bodies: window.bodies,
        })
    };
    Ok(HttpDebug {
        windows: debug
            .windows
            .into_iter()
            .enumerate()
            .map(window)
            .collect::<Result<_, Invalid>>()?,
    })
}
