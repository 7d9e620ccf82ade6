//! What lies in Redis, as the wire asks for it.

use penstock_fleet::Keys;
use penstock_proto::sync::v1 as wire;

use crate::app::App;

pub(super) async fn count(app: &App) -> Result<wire::CounterReport, String> {
    let survey = app.fleet.survey().await.map_err(|error| error.to_string())?;
    Ok(wire::CounterReport {
        enforcement: app.enforcement().as_str().to_owned(),
        kinds: survey.kinds.into_iter().map(kind).collect(),
        truncated: survey.truncated,
    })
}

fn kind(keys: Keys) -> wire::CounterKind {
    let (min_ttl_ms, max_ttl_ms) = keys.ttl_ms.unwrap_or_default();
    wire::CounterKind {
        kind: keys.kind.to_owned(),
        r#type: keys.type_name,
        keys: keys.keys,
        persistent: keys.persistent,
        min_ttl_ms,
        max_ttl_ms,
        bytes: keys.bytes,
    }
}
