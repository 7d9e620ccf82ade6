//! The hourly sums. They outlive the records that they were made of, so records alone cannot bring them back.

use crate::api::archive::{ArchiveTable, Column, Merge};

/// Sums of a span of time, which is named by its column: for hours here, for days in [`super::sums`].
pub(super) const fn sums(span: &'static str) -> [Column; 21] {
    [
        Column::int(span),
        Column::id("user_id"),
        Column::id("key_id"),
        Column::id("provider_id"),
        Column::word("model"),
        Column::int("requests"),
        Column::int("rejected"),
        Column::int("unpriced_requests"),
        Column::int("input_tokens"),
        Column::int("output_tokens"),
        Column::int("cache_read_tokens"),
        Column::int("cache_write_tokens"),
        Column::int("cache_write_1h_tokens"),
        Column::int("cache_write_12h_tokens"),
        Column::int("reasoning_tokens"),
        Column::int("web_searches"),
        Column::int("cost_nanousd"),
        Column::int("audio_input_tokens"),
        Column::int("image_input_tokens"),
        Column::int("audio_output_tokens"),
        Column::int("image_output_tokens"),
    ]
}

pub(super) static TABLE: ArchiveTable = ArchiveTable {
    name: "usage_rollups",
    columns: &sums("hour"),
    key: 5,
    merge: Merge::Greatest,
    ledger: true,
};
