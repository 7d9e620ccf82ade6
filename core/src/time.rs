//! Instants as Unix milliseconds. The clock is read at the edges and handed in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Unix milliseconds, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// The start of the hour that holds this instant.
    pub fn hour(self) -> Self {
        const HOUR: i64 = 3_600_000;
        Self(self.0.div_euclid(HOUR).saturating_mul(HOUR))
    }

    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_at_or_before_its_instants() {
        assert_eq!(UnixMs(7_199_999).hour(), UnixMs(3_600_000));
        assert_eq!(UnixMs(7_200_000).hour(), UnixMs(7_200_000));
        assert_eq!(UnixMs(-1).hour(), UnixMs(-3_600_000));
    }

    #[test]
    fn instants_print_as_rfc_3339() {
        assert_eq!(UnixMs(1_700_000_000_000).to_string(), "2023-11-14T22:13:20Z");
    }
}
