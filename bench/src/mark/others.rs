//! How quiet the machine was, told with the figures.

use serde::Serialize;

/// Beyond this share a measurement counts as disturbed: its latencies are not the system's alone.
const DISTURBED: f64 = 0.1;

/// What others used of the machine while the bench measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Others {
    measurements: u32,
    disturbed: u32,
    /// The largest share, from 0 to 1, and where.
    most: f64,
    at: String,
}

impl Others {
    pub(super) fn add(&mut self, what: &str, share: f64) {
        self.measurements += 1;
        self.disturbed += u32::from(share > DISTURBED);
        if share > self.most {
            self.most = share;
            what.clone_into(&mut self.at);
        }
    }

    /// None on a quiet machine.
    pub(crate) fn warning(&self) -> Option<String> {
        let Self {
            measurements,
            disturbed,
            ..
        } = self;
        let percent = self.most * 100.0;
        (*disturbed > 0).then(|| {
            format!(
                "others used more than a tenth of the machine during {disturbed} of {measurements} measurements, at most \
                 {percent:.0} % ({}); take the figures again when it is quiet",
                self.at
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_machine_needs_no_word() {
        let mut others = Others::default();
        others.add("P1", 0.02);
        assert_eq!(others.warning(), None);
    }

    #[test]
    fn the_worst_measurement_is_named() {
        let mut others = Others::default();
        for (what, share) in [("one", 0.2), ("two", 0.5), ("three", 0.01)] {
            others.add(what, share);
        }
        let warning = others.warning().unwrap();
        assert!(
            warning.contains("2 of 3") && warning.contains("50 % (two)"),
            "{warning}"
        );
    }
}
