//! Looking through Redis in pieces.
//!
//! A piece is one SCAN of the fleet's keys; TYPE and PTTL of each key and MEMORY USAGE of one in [`MEASURED`] go behind
//! it in one pipeline. A cluster is not looked through: SCAN has a cursor for each of its nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{Cmd, Pipeline};

use super::counters::RedisCounters;
use crate::counters::Unreachable;
use crate::survey::{Keys, MAX_KEYS, Survey, kind_of};

const PATIENCE: Duration = Duration::from_secs(1);
const PIECE: usize = 500;
/// The size of one in so many keys is asked.
const MEASURED: usize = 10;

#[derive(Default)]
struct Found {
    by_kind: BTreeMap<(&'static str, String), (Keys, u64)>,
    keys: usize,
}

impl RedisCounters {
    pub(crate) async fn survey(&self) -> Result<Survey, Unreachable> {
        if self.link.is_cluster() {
            return Err(Unreachable(
                "a Redis Cluster is not looked through from here; ask each of its nodes by redis-cli --bigkeys".to_owned(),
            ));
        }
        let mut found = Found::default();
        let mut cursor = 0_u64;
        let truncated = loop {
            let mut scan = Cmd::new();
            scan.arg("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg("penstock:*")
                .arg("COUNT")
                .arg(PIECE);
            let (next, keys): (u64, Vec<String>) = self.link.query(&scan, PATIENCE).await?;
            self.look_at(&keys, &mut found).await?;
            cursor = next;
            if cursor == 0 || found.keys >= MAX_KEYS {
                break cursor != 0;
            }
        };
        let kinds = found.by_kind.into_values().map(|(mut keys, measured)| {
            keys.bytes = match measured {
                0 => 0,
                measured => keys.bytes.saturating_mul(keys.keys) / measured,
            };
            keys
        });
        Ok(Survey {
            kinds: kinds.collect(),
            truncated,
        })
    }

    async fn look_at(&self, keys: &[String], found: &mut Found) -> Result<(), Unreachable> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut pipeline = Pipeline::with_capacity(keys.len() * 2);
        for key in keys {
            pipeline.cmd("TYPE").arg(key).cmd("PTTL").arg(key);
        }
        let measured: Vec<bool> = (found.keys..)
            .take(keys.len())
            .map(|n| n.is_multiple_of(MEASURED))
            .collect();
        let told: Vec<redis::Value> = self.link.pipeline(&pipeline, PATIENCE).await?;
        let mut told = told.into_iter();
        for (key, measure) in keys.iter().zip(measured) {
            let type_name: String = read(told.next())?;
            let ttl: i64 = read(told.next())?;
            found.keys += 1;
            // It went meanwhile.
            if type_name == "none" {
                continue;
            }
            let bytes = match measure {
                true => {
                    let mut size = Cmd::new();
                    size.arg("MEMORY").arg("USAGE").arg(key);
                    // Some hosted servers do not have it.
                    let bytes: Result<Option<u64>, _> = self.link.query(&size, PATIENCE).await;
                    bytes.ok().flatten()
                }
                false => None,
            };
            found.add(kind_of(key), type_name, ttl, bytes);
        }
        Ok(())
    }
}

impl Found {
    fn add(&mut self, kind: &'static str, type_name: String, ttl: i64, bytes: Option<u64>) {
        let (keys, measured) = self.by_kind.entry((kind, type_name.clone())).or_insert_with(|| {
            let keys = Keys {
                kind,
                type_name,
                ..Keys::default()
            };
            (keys, 0)
        });
        keys.keys += 1;
        match u64::try_from(ttl) {
            Ok(ttl) => {
                let (low, high) = keys.ttl_ms.unwrap_or((ttl, ttl));
                keys.ttl_ms = Some((low.min(ttl), high.max(ttl)));
            }
            Err(_) => keys.persistent += 1,
        }
        if let Some(bytes) = bytes {
            keys.bytes = keys.bytes.saturating_add(bytes);
            *measured += 1;
        }
    }
}

fn read<T: redis::FromRedisValue>(value: Option<redis::Value>) -> Result<T, Unreachable> {
    let value = value.ok_or_else(|| Unreachable("Redis answered less than it was asked".to_owned()))?;
    redis::from_redis_value(value).map_err(|error| Unreachable(error.to_string()))
}
