//! How far the ledger is cleaned, for those who would otherwise trust in records that are gone.
//!
//! * A record that is sent twice is known by its id, while it is there. After so long that it is cleaned, it is known by
//!   its number: up to the mark of its spool everything was counted.
//! * What was spent from an instant on, amid a minute or a folded day, is told by the records. Where they are gone, the
//!   whole minute counts, or the hours' sums with the whole first hour: never less than was spent.

use uuid::Uuid;

use super::records::{DAY_MS, first_id};
use crate::api::retention::Retained;
use crate::api::spend::Delivered;
use crate::sql::query::sql;
use crate::sql::tx::Tx;

/// What of a spool was counted, of records that may be gone.
pub(super) struct Counted {
    /// Below this id records may be gone. Nil: none is.
    below: Uuid,
    through: u64,
}

impl Counted {
    pub(super) fn holds(&self, id: Uuid, number: u64) -> bool {
        id < self.below && number <= self.through
    }
}

/// Up to which instant records are gone. 0: none is.
pub(super) async fn until(tx: &mut Tx) -> Result<i64, sqlx::Error> {
    let query = sql("SELECT cleaned_before FROM retention_marks WHERE kind = ")
        .push_bind(Retained::UsageRecords.as_str());
    let mark: Option<(i64,)> = tx.fetch_optional(query).await?;
    Ok(mark.map_or(0, |(before,)| before))
}

/// `oldest` is the lowest id of the batch. Nothing younger than a day is ever cleaned, so most batches ask nothing.
pub(super) async fn counted_to(
    tx: &mut Tx,
    oldest: Option<Uuid>,
    delivered: Delivered,
) -> Result<Counted, sqlx::Error> {
    let nothing = Counted {
        below: Uuid::nil(),
        through: 0,
    };
    let may_be_gone = first_id(delivered.at.0.saturating_sub(DAY_MS / 2));
    if oldest.is_none_or(|id| id >= may_be_gone) {
        return Ok(nothing);
    }
    let cleaned = until(tx).await?;
    let mark = sql("SELECT through_sequence FROM spool_marks WHERE spool_id = $1").bind(delivered.spool);
    let mark: Option<(i64,)> = tx.fetch_optional(mark).await?;
    Ok(match mark {
        Some((through,)) if cleaned > 0 => Counted {
            below: first_id(cleaned),
            through: through.unsigned_abs(),
        },
        Some(_) | None => nothing,
    })
}
