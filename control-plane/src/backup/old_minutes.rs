//! Minutes of a backup that are too old to be minutes here: they come back as days.
//!
//! A ledger moves minutes that are older than 35 days to the sums of their days. When a backup is old, some of its minutes
//! are days by now, here too; written as minutes they would be added to those days once more. So they are summed up first,
//! and then the greater sum stays, as everywhere. Rows come in the order of the table's key, so those of one day follow
//! each other.
//!
//! The minutes of a day and the day itself are not in one backup: minutes that came late are added to their days before it
//! is made. Of the few that come while it is made, the greater of the two sums stays.

use penstock_core::time::UnixMs;
use penstock_store::ArchiveRow;
use serde_json::Value;

const DAY_MS: i64 = 86_400_000;

/// See the module.
#[derive(Debug)]
pub(super) struct OldMinutes {
    before: UnixMs,
    /// The day that is being summed up.
    day: Option<ArchiveRow>,
}

impl OldMinutes {
    pub(super) fn before(before: UnixMs) -> Self {
        Self { before, day: None }
    }

    /// The minutes that stay minutes, and days that are complete.
    pub(super) fn take(&mut self, rows: Vec<ArchiveRow>) -> (Vec<ArchiveRow>, Vec<ArchiveRow>) {
        let (mut young, mut days) = (Vec::new(), Vec::new());
        for row in rows {
            match number(&row, "minute") {
                minute if minute < self.before.0 => days.extend(self.add(&row, minute)),
                _ => young.push(row),
            }
        }
        (young, days)
    }

    /// The day that is left.
    pub(super) fn finish(&mut self) -> Vec<ArchiveRow> {
        self.day.take().into_iter().collect()
    }

    /// The day before, when this minute is of another one.
    fn add(&mut self, row: &ArchiveRow, minute: i64) -> Option<ArchiveRow> {
        let mut day = row.clone();
        day.remove("minute");
        day.insert("day".to_owned(), Value::from(minute - minute.rem_euclid(DAY_MS)));
        match &mut self.day {
            Some(sum) if same(sum, &day) => {
                let cost = number(sum, "cost_nanousd").saturating_add(number(row, "cost_nanousd"));
                sum.insert("cost_nanousd".to_owned(), Value::from(cost));
                None
            }
            sum => sum.replace(day),
        }
    }
}

fn same(a: &ArchiveRow, b: &ArchiveRow) -> bool {
    ["subject_kind", "subject_id", "day"]
        .iter()
        .all(|field| a.get(*field) == b.get(*field))
}

/// Rows were checked against their table.
fn number(row: &ArchiveRow, field: &str) -> i64 {
    row.get(field).and_then(Value::as_i64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn minute(subject: &str, minute: i64, cost: i64) -> ArchiveRow {
        let row =
            json!({"subject_kind": "key", "subject_id": subject, "minute": minute, "cost_nanousd": cost});
        row.as_object().unwrap().clone()
    }

    #[test]
    fn g05_minutes_that_are_days_by_now_come_back_as_days() {
        let mut old = OldMinutes::before(UnixMs(3 * DAY_MS));
        let rows = vec![
            minute("a", DAY_MS, 1),
            minute("a", DAY_MS + 60_000, 2),
            minute("a", 2 * DAY_MS, 4),
            minute("a", 3 * DAY_MS, 8),
        ];
        let (young, days) = old.take(rows);
        assert_eq!(young, [minute("a", 3 * DAY_MS, 8)]);
        let sums = |days: &[ArchiveRow]| -> Vec<(i64, i64)> {
            days.iter()
                .map(|day| (number(day, "day"), number(day, "cost_nanousd")))
                .collect()
        };
        assert_eq!(sums(&days), [(DAY_MS, 3)]);
        let (_, days) = old.take(vec![minute("b", 2 * DAY_MS, 16)]);
        assert_eq!(sums(&days), [(2 * DAY_MS, 4)]);
        assert_eq!(sums(&old.finish()), [(2 * DAY_MS, 16)]);
        assert!(old.finish().is_empty());
    }
}
