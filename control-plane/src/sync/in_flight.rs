//! The one update that a node has been sent and has not acknowledged.

use penstock_core::resource::ResourceRef;
use penstock_core::snapshot::Refusal;
use penstock_proto::convert::nack_from_wire;
use penstock_proto::sync::v1::{Ack, Nack};
use penstock_store::Head;
use tokio::time::Instant;
use tonic::Status;

use super::PATIENCE;
use super::quarantine::Quarantine;

/// See the module.
pub(super) struct InFlight {
    to: Head,
    kind: Kind,
    /// Runs from when the last part was given to the stream: a large update may take long to send.
    pub(super) deadline: Instant,
}

enum Kind {
    Full,
    /// What of the quarantine it replaces.
    Delta(Vec<ResourceRef>),
}

impl InFlight {
    pub(super) fn full(to: Head) -> Self {
        Self {
            to,
            kind: Kind::Full,
            deadline: Instant::now() + PATIENCE,
        }
    }

    pub(super) fn delta(to: Head, touched: Vec<ResourceRef>) -> Self {
        Self {
            to,
            kind: Kind::Delta(touched),
            deadline: Instant::now() + PATIENCE,
        }
    }

    /// The last part is on its way; from now on the node must answer.
    pub(super) fn sent(&mut self) {
        self.deadline = Instant::now() + PATIENCE;
    }

    /// Checks that the Ack belongs to this update, and brings the quarantine up to date. The head now in force.
    pub(super) fn acknowledge(
        self,
        ack: &Ack,
        refused: Vec<Refusal>,
        quarantine: &mut Quarantine,
    ) -> Result<Head, Status> {
        if ack.revision != self.to.revision || ack.epoch != self.to.epoch.to_string() {
            let (revision, expected) = (ack.revision, self.to.revision);
            return Err(Status::invalid_argument(format!(
                "the Ack is of revision {revision}, but the update ended at revision {expected}"
            )));
        }
        match self.kind {
            Kind::Full => quarantine.clear(),
            Kind::Delta(touched) => quarantine.release(&touched),
        }
        quarantine.add(refused);
        Ok(self.to)
    }
}

/// Reads what a node refused. One that cannot be read is of a newer release; it is left out.
pub(super) fn read_refusals(node: &str, nacks: Vec<Nack>) -> Vec<Refusal> {
    let read = |nack| match nack_from_wire(nack) {
        Ok(refusal) => Some(refusal),
        Err(error) => {
            tracing::warn!(node, %error, "a refusal of this data plane cannot be read");
            None
        }
    };
    nacks.into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use penstock_core::id::Epoch;

    use super::*;
    use crate::index::tests::user;

    fn head() -> Head {
        Head {
            epoch: Epoch::from_parts(1, &[1; 10]),
            revision: 5,
        }
    }

    fn ack(revision: u64) -> Ack {
        Ack {
            epoch: head().epoch.to_string(),
            revision,
            refused: Vec::new(),
        }
    }

    fn refusal(id: u64) -> Refusal {
        Refusal::new(&user(id, 1, ""), "no".to_owned())
    }

    #[test]
    fn an_ack_of_another_revision_or_epoch_is_refused() {
        let mut quarantine = Quarantine::default();
        for wrong in [
            ack(4),
            Ack {
                epoch: String::new(),
                ..ack(5)
            },
        ] {
            let error = InFlight::full(head())
                .acknowledge(&wrong, Vec::new(), &mut quarantine)
                .unwrap_err();
            assert_eq!(error.code(), tonic::Code::InvalidArgument);
        }
        assert_eq!(
            InFlight::full(head())
                .acknowledge(&ack(5), Vec::new(), &mut quarantine)
                .unwrap(),
            head()
        );
    }

    #[test]
    fn after_a_full_update_only_what_it_refused_is_refused() {
        let mut quarantine = Quarantine::of(vec![refusal(1)]);
        InFlight::full(head())
            .acknowledge(&ack(5), vec![refusal(2)], &mut quarantine)
            .unwrap();
        assert_eq!(quarantine.list().len(), 1);
        assert_eq!(quarantine.list()[0].resource, refusal(2).reference);
    }

    #[test]
    fn after_a_delta_what_it_did_not_touch_stays_refused() {
        let mut quarantine = Quarantine::of(vec![refusal(1), refusal(2)]);
        let delta = InFlight::delta(head(), vec![refusal(2).reference]);
        delta
            .acknowledge(&ack(5), vec![refusal(3)], &mut quarantine)
            .unwrap();
        let left: Vec<_> = quarantine
            .list()
            .into_iter()
            .map(|refused| refused.resource)
            .collect();
        assert_eq!(left, [refusal(1).reference, refusal(3).reference]);
    }

    #[test]
    fn an_unreadable_refusal_does_not_lose_the_others() {
        let good = penstock_proto::convert::nack_to_wire(&refusal(1));
        let bad = Nack {
            resource: None,
            version: 1,
            reason: String::new(),
        };
        assert_eq!(read_refusals("n", vec![bad, good]), [refusal(1)]);
    }
}
