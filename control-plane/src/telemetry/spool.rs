//! Which records of a node's spools have come on this stream: acknowledgements must not skip any.

use penstock_core::time::UnixMs;
use penstock_proto::telemetry::v1::{UsageAck, UsageBatch};
use penstock_store::Delivered;
use tonic::Status;
use uuid::Uuid;

/// A node has one spool; after its directory was lost it has a new one. More than this on one stream is nonsense.
const MAX_SPOOLS: usize = 8;

/// More records in one batch are refused, whatever the node was told; the size of a message bounds it too.
const MAX_RECORDS: usize = 20_000;

/// The newest sequence number that came, of each spool.
#[derive(Debug, Default)]
pub(super) struct Spools(Vec<(Uuid, u64)>);

/// The last record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Through {
    spool: Uuid,
    last: u64,
}

impl Spools {
    /// Checks that the batch follows what came before, or repeats it. None: it is empty.
    pub(super) fn take(&mut self, batch: &UsageBatch) -> Result<Option<Through>, Status> {
        let spool = Uuid::parse_str(&batch.spool_id)
            .map_err(|_| Status::invalid_argument("spool_id is not an id"))?;
        let Some(rest) = batch.records.len().checked_sub(1) else {
            return Ok(None);
        };
        if batch.records.len() > MAX_RECORDS {
            return Err(Status::invalid_argument(format!(
                "a batch has at most {MAX_RECORDS} records"
            )));
        }
        let last = u64::try_from(rest)
            .ok()
            .and_then(|rest| batch.first_sequence.checked_add(rest));
        let last = last.ok_or_else(|| Status::invalid_argument("sequence numbers end at 2^64"))?;
        let full = self.0.len() >= MAX_SPOOLS;
        match self.0.iter_mut().find(|(known, _)| *known == spool) {
            Some((_, newest)) => {
                if batch.first_sequence > newest.saturating_add(1) {
                    let first = batch.first_sequence;
                    return Err(Status::invalid_argument(format!(
                        "the batch starts at {first}, but the newest record before it was {newest}"
                    )));
                }
                *newest = last.max(*newest);
            }
            None if full => return Err(Status::invalid_argument("too many spools on one stream")),
            None => self.0.push((spool, last)),
        }
        Ok(Some(Through { spool, last }))
    }
}

impl Through {
    pub(super) fn ack(self, spool_id: String) -> UsageAck {
        UsageAck {
            spool_id,
            through_sequence: self.last,
        }
    }

    /// For the ledger, which keeps it with the records.
    pub(super) fn delivered(self, at: UnixMs) -> Delivered {
        Delivered {
            spool: self.spool,
            through: self.last,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use penstock_proto::telemetry::v1::UsageRecord;

    use super::*;

    fn batch(first_sequence: u64, records: usize) -> UsageBatch {
        let spool_id = Uuid::from_u128(1).to_string();
        UsageBatch {
            spool_id,
            first_sequence,
            records: vec![UsageRecord::default(); records],
        }
    }

    fn take(spools: &mut Spools, batch: &UsageBatch) -> Result<Option<u64>, tonic::Code> {
        spools
            .take(batch)
            .map(|through| through.map(|through| through.last))
            .map_err(|status| status.code())
    }

    #[test]
    fn e05_acknowledgements_are_cumulative_and_repeats_are_fine() {
        let mut spools = Spools::default();
        assert_eq!(take(&mut spools, &batch(10, 5)), Ok(Some(14)));
        assert_eq!(take(&mut spools, &batch(15, 1)), Ok(Some(15)));
        assert_eq!(take(&mut spools, &batch(10, 5)), Ok(Some(14)));
        assert_eq!(take(&mut spools, &batch(16, 2)), Ok(Some(17)));
    }

    #[test]
    fn e05_a_gap_is_refused_since_acknowledging_it_would_lose_records() {
        let mut spools = Spools::default();
        take(&mut spools, &batch(10, 5)).unwrap();
        assert_eq!(
            take(&mut spools, &batch(16, 1)),
            Err(tonic::Code::InvalidArgument)
        );
        assert_eq!(take(&mut spools, &batch(15, 1)), Ok(Some(15)));
    }

    #[test]
    fn an_empty_batch_acknowledges_nothing() {
        assert_eq!(take(&mut Spools::default(), &batch(10, 0)), Ok(None));
    }

    #[test]
    fn nonsense_is_refused_before_it_costs_anything() {
        let mut spools = Spools::default();
        assert!(
            take(
                &mut spools,
                &UsageBatch {
                    spool_id: "x".to_owned(),
                    ..batch(1, 1)
                }
            )
            .is_err()
        );
        assert!(take(&mut spools, &batch(u64::MAX, 2)).is_err());
        for n in 0..8_u128 {
            let spool_id = Uuid::from_u128(n + 100).to_string();
            assert!(
                take(
                    &mut spools,
                    &UsageBatch {
                        spool_id,
                        ..batch(1, 1)
                    }
                )
                .is_ok()
            );
        }
        assert!(take(&mut spools, &batch(1, 1)).is_err());
    }
}
