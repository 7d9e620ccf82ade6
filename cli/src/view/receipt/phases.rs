//! Where the time of a call went.

use penstock_core::usage::decision::Phases as Core;
use serde::Serialize;

use super::super::fields;

/// When each phase was over, since the request arrived. None: it was not reached.
#[derive(Debug, Serialize)]
pub(crate) struct Phases {
    pub body_us: Option<u64>,
    pub admitted_us: Option<u64>,
    pub routed_us: Option<u64>,
    pub first_byte_us: Option<u64>,
    pub total_us: u64,
    /// A duration: Penstock's own part of the time until the answer began.
    pub overhead_us: Option<u64>,
}

impl From<&Core> for Phases {
    fn from(phases: &Core) -> Self {
        Self {
            body_us: phases.body_us,
            admitted_us: phases.admitted_us,
            routed_us: phases.routed_us,
            first_byte_us: phases.first_byte_us,
            total_us: phases.total_us,
            overhead_us: phases.overhead_us,
        }
    }
}

impl Phases {
    /// How long each phase took: until its end, from the end of the last one that was reached.
    pub(super) fn table(&self) -> String {
        let mut before = 0;
        let ends = [
            ("reading the request", self.body_us),
            ("limits and session", self.admitted_us),
            ("choosing", self.routed_us),
            ("asking, until the answer began", self.first_byte_us),
            ("the rest", Some(self.total_us)),
        ];
        let mut lines = Vec::new();
        for (name, end) in ends {
            if let Some(end) = end {
                lines.push((name, ms(end.saturating_sub(before))));
                before = end;
            }
        }
        lines.push(("all", ms(self.total_us)));
        if let Some(own) = self.overhead_us {
            lines.push(("of it Penstock's own, until the answer began", ms(own)));
        }
        fields(&lines)
    }
}

fn ms(us: u64) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}
