//! A data plane that counts limits in Redis, as a fleet does.

use std::path::Path;

use anyhow::Result;

use super::planes::{DataPlane, Sharing};
use super::programs::Programs;
use super::redis::Redis;

/// A data plane and the Redis in which it counts.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) data: DataPlane,
    pub(super) redis: Redis,
}

impl Shared {
    /// None where Redis is not installed.
    pub(super) async fn start(
        programs: &Programs,
        folder: &Path,
        control_plane: &str,
    ) -> Result<Option<Self>> {
        let Some(program) = &programs.redis else {
            return Ok(None);
        };
        let redis = Redis::start("redis", program, folder).await?;
        let url = redis.url();
        let data = DataPlane::start(
            programs,
            folder,
            control_plane,
            Sharing::Redis(&url),
            "data-plane-with-redis",
        )
        .await?;
        Ok(Some(Self { data, redis }))
    }
}
