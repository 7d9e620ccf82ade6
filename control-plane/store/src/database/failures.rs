//! Records of the failure log: taken in, each once, and read back by their call.

use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::failure::FailedCallRow;
use crate::sql::fault::{Attempts, Fault};
use crate::sql::query::{Query, sql};
use crate::sql::value::{Value, storable};

/// Records of one statement.
const CHUNK: usize = 100;

/// The columns of [`Row`].
macro_rules! failure_columns {
    () => {
        "id, number, is_final, started_at, user_id, key_id, provider_id, model, session, status, error_type, \
         error_class, duration_ms, node_id, record"
    };
}
pub(super) use failure_columns;

/// A record as both databases hold it.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    number: i64,
    is_final: bool,
    started_at: i64,
    user_id: Uuid,
    key_id: Uuid,
    provider_id: Option<Uuid>,
    model: String,
    session: Option<String>,
    status: i64,
    error_type: String,
    error_class: String,
    duration_ms: i64,
    node_id: String,
    record: Json,
}

impl Database {
    pub(super) async fn write_failures(&self, records: &[FailedCallRow]) -> Result<u64, Error> {
        let mut attempts = Attempts::default();
        loop {
            match self.try_failures(records).await {
                Ok(fresh) => return Ok(fresh),
                Err(fault) => attempts.again(fault).await?,
            }
        }
    }

    async fn try_failures(&self, records: &[FailedCallRow]) -> Result<u64, Fault> {
        let mut tx = self.pools.write().await?;
        let mut fresh = 0;
        for chunk in records.chunks(CHUNK) {
            fresh += tx.execute(insert(chunk)).await?;
        }
        tx.commit().await?;
        Ok(fresh)
    }

    pub(super) async fn failures_of_call(&self, id: RequestId) -> Result<Vec<FailedCallRow>, Error> {
        let query = sql(concat!(
            "SELECT ",
            failure_columns!(),
            " FROM failed_calls WHERE id = $1 ORDER BY number"
        ));
        let mut tx = self.pools.read().await?;
        let rows: Vec<Row> = tx.fetch_all(query.bind(id.0)).await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(Row::read).collect())
    }
}

fn insert(records: &[FailedCallRow]) -> Query {
    let mut query = sql(concat!(
        "INSERT INTO failed_calls (",
        failure_columns!(),
        ") VALUES "
    ));
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            query = query.push(", ");
        }
        query = query.push_list(values(record));
    }
    query.push(" ON CONFLICT (id, number) DO NOTHING")
}

fn values(record: &FailedCallRow) -> [Value; 15] {
    [
        record.id.0.into(),
        record.number.into(),
        record.is_final.into(),
        record.started_at.into(),
        record.user_id.0.into(),
        record.key_id.0.into(),
        record.provider_id.map(|id| id.0).into(),
        record.model.as_str().into(),
        record.session.as_deref().into(),
        u32::from(record.status).into(),
        record.error_type.as_str().into(),
        record.error_class.as_str().into(),
        record.duration_ms.into(),
        storable(&record.node_id).as_str().into(),
        Some(record.record.clone()).into(),
    ]
}

impl Row {
    pub(super) fn read(self) -> FailedCallRow {
        FailedCallRow {
            id: RequestId(self.id),
            number: u32::try_from(self.number).unwrap_or_default(),
            is_final: self.is_final,
            started_at: UnixMs(self.started_at),
            user_id: UserId(self.user_id),
            key_id: KeyId(self.key_id),
            provider_id: self.provider_id.map(ProviderId),
            model: self.model,
            session: self.session,
            status: u16::try_from(self.status).unwrap_or_default(),
            error_type: self.error_type,
            error_class: self.error_class,
            duration_ms: u32::try_from(self.duration_ms).unwrap_or_default(),
            node_id: self.node_id,
            record: self.record,
        }
    }
}
