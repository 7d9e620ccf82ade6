//! The breaker against a plain model that keeps the whole history.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Fails(u8),
    Succeeds(u8),
    Mistake(u8),
    Waits(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..3).prop_map(Step::Fails),
        1 => (0_u8..3).prop_map(Step::Succeeds),
        1 => (0_u8..3).prop_map(Step::Mistake),
        1 => (1_u64..8 * MINUTE).prop_map(Step::Waits),
        1 => Just(Step::Waits(31 * MINUTE)),
    ]
}

/// All that happened, and nothing worked out beforehand.
#[derive(Default)]
struct Plain {
    uses: Vec<(u8, i64)>,
    row: Vec<u8>,
    open_until: Option<i64>,
    went_well: u32,
}

impl Plain {
    fn phase(&self, now: i64) -> &'static str {
        match self.open_until {
            None => "closed",
            Some(until) if now < until => "open",
            Some(_) => "half-open",
        }
    }

    fn take(&mut self, step: Step, now: i64, settings: &BreakerSettings) {
        let (who, well) = match step {
            Step::Waits(_) => return,
            Step::Fails(who) => (who, Some(false)),
            Step::Succeeds(who) => (who, Some(true)),
            Step::Mistake(who) => (who, None),
        };
        self.uses.push((who, now));
        match (well, self.phase(now)) {
            (None, _) | (_, "open") => {}
            (Some(true), "closed") => self.row.clear(),
            (Some(true), _) => {
                self.went_well += 1;
                if self.went_well == settings.successes {
                    *self = Self {
                        uses: std::mem::take(&mut self.uses),
                        ..Self::default()
                    };
                }
            }
            (Some(false), "closed") => {
                self.row.push(who);
                let lately = self.uses.iter().filter(|(_, at)| at + 300_000 > now);
                let users: std::collections::BTreeSet<_> = lately.map(|(who, _)| who).collect();
                let failed: std::collections::BTreeSet<_> = self.row.iter().collect();
                if self.row.len() >= settings.failures as usize && (users.len() < 2 || failed.len() > 1) {
                    self.open(now, settings);
                }
            }
            (Some(false), _) => self.open(now, settings),
        }
    }

    fn open(&mut self, now: i64, settings: &BreakerSettings) {
        (self.open_until, self.went_well) = (Some(now + settings.open_ms as i64), 0);
        self.row.clear();
    }
}

proptest! {
    #[test]
    fn b07_the_breaker_does_what_its_specification_says(
        steps in prop::collection::vec(step(), 0..120),
        failures in 1_u32..6,
        successes in 1_u32..4,
    ) {
        let mut node = Node::new("a");
        node.settings = BreakerSettings { failures, successes, ..node.settings };
        let mut plain = Plain::default();
        for step in steps {
            match step {
                Step::Waits(ms) => node.after(ms),
                Step::Fails(who) => drop(node.fails(who, Class::Transient)),
                Step::Succeeds(who) => drop(node.succeeds(who)),
                Step::Mistake(who) => drop(node.fails(who, Class::Caller)),
            }
            plain.take(step, node.now.0, &node.settings);
            let phase = match node.standing() {
                Standing::Ready => "closed",
                Standing::HalfOpen => "half-open",
                Standing::Open { .. } => "open",
                other @ (Standing::Cooling { .. } | Standing::SetAside { .. }) => panic!("{other:?}"),
            };
            prop_assert_eq!(phase, plain.phase(node.now.0), "after {:?}", step);
        }
    }
}
