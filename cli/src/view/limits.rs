//! Limits of users, keys and providers.
//!
//! Only what is set is shown, under the names that refusals use; without any limit the object is empty.

use std::sync::Arc;

use penstock_core::limits::{Budget, DailyReset, Dimension, Limits as Core, Zone};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::or_dash;

/// What something may use.
#[derive(Debug)]
pub(crate) struct Limits(pub Arc<Core>);

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let limits = &self.0;
        let mut map = serializer.serialize_map(None)?;
        for dimension in self.limited() {
            let name = dimension.as_str();
            if dimension.is_money() {
                let amount = limits.money(dimension);
                map.serialize_entry(name, &amount.to_string())?;
                map.serialize_entry(&format!("{name}_nanousd"), &amount)?;
            } else {
                map.serialize_entry(name, &limits.get(dimension))?;
            }
        }
        if limits.budget != Budget::default() {
            map.serialize_entry("budget", limits.budget.as_str())?;
        }
        if limits.daily_reset != DailyReset::default() {
            map.serialize_entry("daily_reset", &limits.daily_reset.to_string())?;
        }
        if limits.zone != Zone::default() {
            map.serialize_entry("zone", &limits.zone)?;
        }
        if let Some(seconds) = limits.session_idle_s {
            map.serialize_entry("session_idle_s", &seconds)?;
        }
        if !limits.resets.is_empty() {
            let resets: serde_json::Map<_, _> =
                self.resets().map(|(name, at)| (name.into(), at.into())).collect();
            map.serialize_entry("resets", &resets)?;
        }
        map.end()
    }
}

impl Limits {
    /// The limits alone, for a cell: `rpm 10, usd_daily 5 USD`.
    pub(crate) fn cell(&self) -> String {
        or_dash(Some(&self.amounts().collect::<Vec<_>>().join(", ")))
    }

    /// All that is set, for a line of its own.
    pub(crate) fn line(&self) -> String {
        let limits = &self.0;
        let mut parts: Vec<_> = self.amounts().collect();
        if limits.budget != Budget::default() {
            parts.push(format!("budget {}", limits.budget.as_str()));
        }
        match limits.daily_reset {
            DailyReset::Rolling => parts.push("a day is any 24 h".to_owned()),
            DailyReset::At(0) => (),
            at @ DailyReset::At(_) => parts.push(format!("a day begins at {at}")),
        }
        if limits.zone != Zone::default() {
            parts.push(format!("zone {}", limits.zone.0));
        }
        if let Some(seconds) = limits.session_idle_s {
            parts.push(format!("sessions count for {seconds} s"));
        }
        parts.extend(
            self.resets()
                .map(|(name, at)| format!("{name} was reset at {at}")),
        );
        or_dash(Some(&parts.join(", ")))
    }

    fn limited(&self) -> impl Iterator<Item = Dimension> {
        Dimension::ALL
            .into_iter()
            .filter(|dimension| self.0.get(*dimension) > 0)
    }

    fn amounts(&self) -> impl Iterator<Item = String> {
        self.limited().map(|dimension| {
            let name = dimension.as_str();
            match dimension.is_money() {
                true => format!("{name} {} USD", self.0.money(dimension)),
                false => format!("{name} {}", self.0.get(dimension)),
            }
        })
    }

    fn resets(&self) -> impl Iterator<Item = (&'static str, String)> {
        let resets = self.0.resets.iter();
        resets.map(|(dimension, at)| (dimension.as_str(), at.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use penstock_core::money::NanoUsd;
    use penstock_core::time::UnixMs;

    use super::*;

    fn some() -> Limits {
        let limits = Core {
            rpm: 10,
            usd_5h: NanoUsd(1_500_000_000),
            budget: Budget::Strict,
            daily_reset: DailyReset::At(480),
            zone: Zone("Asia/Shanghai".into()),
            session_idle_s: Some(0),
            resets: BTreeMap::from([(Dimension::Usd5h, UnixMs(1_700_000_000_000))]),
            ..Core::default()
        };
        Limits(limits.shared())
    }

    #[test]
    fn d01_only_what_is_set_is_shown() {
        assert_eq!(
            serde_json::to_value(some()).unwrap(),
            serde_json::json!({
                "rpm": 10, "usd_5h": "1.5", "usd_5h_nanousd": 1_500_000_000, "budget": "strict",
                "daily_reset": "08:00", "zone": "Asia/Shanghai", "session_idle_s": 0,
                "resets": {"usd_5h": "2023-11-14T22:13:20Z"},
            })
        );
        assert_eq!(some().cell(), "rpm 10, usd_5h 1.5 USD");
        assert_eq!(
            some().line(),
            "rpm 10, usd_5h 1.5 USD, budget strict, a day begins at 08:00, zone Asia/Shanghai, \
             sessions count for 0 s, usd_5h was reset at 2023-11-14T22:13:20Z"
        );
    }

    #[test]
    fn d01_without_limits_there_is_an_empty_object() {
        let none = Limits(Core::none());
        assert_eq!(serde_json::to_string(&none).unwrap(), "{}");
        assert_eq!((none.cell().as_str(), none.line().as_str()), ("-", "-"));
    }
}
