//! About how many rows a backup will have, to show how far it has come. Nothing depends on it: the last line of a backup tells
//! what there is. So large tables are estimated, and that a number is not known is no reason for having no backup.

use std::collections::VecDeque;

use penstock_core::backup::Counts;
use penstock_store::Stored;

use crate::backup::held::Held;
use crate::backup::section::{self, Rest};
use crate::context::Context;

/// More rows of a table than this are estimated.
const COUNTED: u32 = 1_000_000;

pub(super) async fn rows(
    context: &Context,
    resources: &VecDeque<Stored>,
    held: &VecDeque<Held>,
    rest: &[Rest],
) -> Counts {
    let mut counts = Counts::new();
    for (_, name) in section::CONFIGURATION {
        counts.insert(name.to_owned(), 0);
    }
    for stored in resources {
        let name = section::name_of(stored.reference.kind());
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    for section in rest {
        let rows = match section {
            Rest::Tokens | Rest::Operators | Rest::Webhooks => {
                let of = held.iter().filter(|held| held.section().name() == section.name());
                of.count().try_into().unwrap_or(u64::MAX)
            }
            Rest::Records | Rest::Table(_) => of_table(context, section.name()).await,
        };
        counts.insert(section.name().to_owned(), rows);
    }
    counts
}

async fn of_table(context: &Context, table: &'static str) -> u64 {
    let about = context.store.about_rows(table, COUNTED).await;
    about.unwrap_or_else(|error| {
        tracing::info!(table, %error, "a backup is made without knowing how many rows there are");
        0
    })
}
