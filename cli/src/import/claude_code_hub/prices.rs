//! Prices: those that were made by hand there. It keeps every version; the newest of a model holds.

use std::collections::BTreeMap;

use penstock_core::price::import::parse;
use serde_json::{Map, Value};

use crate::import::draft::Draft;
use crate::import::record::Record;

pub(super) fn draft(draft: &mut Draft, records: &[Record]) {
    let (mut newest, mut from_litellm) = (BTreeMap::new(), 0_u64);
    for record in records {
        if record.text("source").is_none_or(|source| source != "manual") {
            from_litellm += 1;
            continue;
        }
        let Some(model) = record.text("model_name") else {
            continue;
        };
        let at = record.instant("created_at");
        draft.note_unreadable(record, "the price counts as the oldest of its model");
        let newer = newest.get(&model).is_none_or(|(known, _)| *known <= at);
        if newer {
            newest.insert(model, (at, record));
        }
    }
    if from_litellm > 0 {
        let note = format!("{from_litellm} prices came from LiteLLM and are left out: Penstock ships them");
        draft.note("model_prices", note);
    }
    for (model, (_, record)) in newest {
        let Some(data) = record.json("price_data") else {
            continue;
        };
        let file = Value::Object(Map::from_iter([(model.clone(), data)])).to_string();
        match parse(&file) {
            Ok(parsed) if !parsed.prices.is_empty() => {
                for (name, price) in parsed.prices {
                    draft.price(&record.source, &name, &price);
                }
            }
            Ok(_) | Err(_) => {
                let note = format!("the price of {model} is not in a form that is known: it is left out");
                draft.note(&record.source, note);
            }
        }
    }
}
