//! Tables of sums: what is added to a row of them, or makes it.
//!
//! One statement adds some hundred rows. Whoever writes brings them in the order of their keys, the same in every batch,
//! so that two batches never wait for each other.

use std::sync::LazyLock;

use crate::sql::query::sql;
use crate::sql::tx::Tx;
use crate::sql::value::Value;

/// Values in one statement; SQLite allows 32 766.
const MAX_VALUES: usize = 16_000;

/// A table whose rows are known by some columns and sum up others.
pub(super) struct Table {
    name: &'static str,
    keys: &'static [&'static str],
    sums: &'static [&'static [&'static str]],
}

/// Its statement, before and after the rows.
pub(super) struct Statement {
    insert: String,
    add: String,
    columns: usize,
}

/// Columns of counts of tokens, money and calls.
pub(super) const SUMS: &[&str] = &[
    "requests",
    "rejected",
    "unpriced_requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "cache_write_12h_tokens",
    "reasoning_tokens",
    "web_searches",
    "cost_nanousd",
    "audio_input_tokens",
    "image_input_tokens",
    "audio_output_tokens",
    "image_output_tokens",
];

/// Columns of times.
pub(super) const TIMES: &[&str] = &[
    "duration_ms",
    "duration_0",
    "duration_1",
    "duration_2",
    "duration_3",
    "duration_4",
    "duration_5",
    "duration_6",
    "duration_7",
    "duration_8",
    "duration_9",
    "duration_10",
    "duration_11",
    "first_byte_ms",
    "first_byte_0",
    "first_byte_1",
    "first_byte_2",
    "first_byte_3",
    "first_byte_4",
    "first_byte_5",
    "first_byte_6",
    "first_byte_7",
    "first_byte_8",
    "first_byte_9",
    "first_byte_10",
    "first_byte_11",
];

pub(super) static ROLLUPS: LazyLock<Statement> = LazyLock::new(|| {
    Table {
        name: "usage_rollups",
        keys: &["hour", "user_id", "key_id", "provider_id", "model"],
        sums: &[SUMS],
    }
    .statement()
});

pub(super) static DAYS: LazyLock<Statement> = LazyLock::new(|| {
    Table {
        name: "usage_days",
        keys: &["day", "user_id", "key_id", "provider_id", "model"],
        sums: &[SUMS],
    }
    .statement()
});

pub(super) static TRAFFIC: LazyLock<Statement> = LazyLock::new(|| {
    Table {
        name: "usage_traffic",
        keys: &["hour", "provider_id", "model"],
        sums: &[SUMS, TIMES],
    }
    .statement()
});

pub(super) static OUTCOMES: LazyLock<Statement> = LazyLock::new(|| {
    Table {
        name: "usage_outcomes",
        keys: &["hour", "provider_id", "model", "outcome", "status", "code"],
        sums: &[&["calls", "retried"]],
    }
    .statement()
});

impl Table {
    fn statement(&self) -> Statement {
        let Self { name, keys, sums } = self;
        let sums: Vec<&str> = sums.iter().flat_map(|some| some.iter().copied()).collect();
        let all: Vec<&str> = keys.iter().copied().chain(sums.iter().copied()).collect();
        let add: Vec<String> = sums
            .iter()
            .map(|sum| format!("{sum} = {name}.{sum} + excluded.{sum}"))
            .collect();
        let (columns, conflict, add) = (all.join(", "), keys.join(", "), add.join(", "));
        Statement {
            insert: format!("INSERT INTO {name} ({columns}) VALUES "),
            add: format!(" ON CONFLICT ({conflict}) DO UPDATE SET {add}"),
            columns: all.len(),
        }
    }
}

impl Statement {
    /// Adds rows; each has the values of all columns, in their order.
    pub(super) async fn write(
        &'static self,
        tx: &mut Tx,
        rows: impl Iterator<Item = Vec<Value>>,
    ) -> Result<(), sqlx::Error> {
        let most = (MAX_VALUES / self.columns).max(1);
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let mut query = sql(&self.insert);
            for (i, row) in rows.by_ref().take(most).enumerate() {
                query = query.push(if i == 0 { "" } else { ", " }).push_list(row);
            }
            tx.execute(query.push(&self.add)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_made_or_added_to() {
        assert!(
            OUTCOMES
                .insert
                .ends_with("outcome, status, code, calls, retried) VALUES ")
        );
        assert!(
            OUTCOMES
                .add
                .ends_with("calls = usage_outcomes.calls + excluded.calls, retried = usage_outcomes.retried + excluded.retried"),
            "{}",
            OUTCOMES.add
        );
        assert_eq!(TRAFFIC.columns, 3 + 16 + 26);
    }
}
