//! A system that was just started, for one measurement: its memory is that measurement's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Result, bail};
use bytes::Bytes;

use super::nginx::Nginx;
use super::planes::{DataPlane, Sharing};
use super::{Meter, Stand, Way};
use crate::load::{Expect, Target};

/// Connections that each of its workers may have.
const CONNECTIONS: u32 = 20_000;

/// Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Fresh(System);

#[derive(Debug)]
enum System {
    Nginx(Nginx),
    DataPlane(DataPlane),
}

impl Stand {
    /// Starts another nginx or data plane beside the stand's own. Only these two ways have one.
    pub(crate) async fn fresh(&self, way: Way) -> Result<Fresh> {
        let folder = self.folder.path();
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let system = match (way, &self.programs.nginx) {
            (Way::Nginx, Some(program)) => {
                let folder = folder.join(format!("nginx-{number}"));
                System::Nginx(Nginx::start(program, &folder, self.provider, CONNECTIONS).await?)
            }
            (Way::DataPlane, _) => {
                let url = self.control.url();
                let name = "data-plane-fresh";
                let start = DataPlane::start(&self.programs, folder, &url, Sharing::Alone, name);
                System::DataPlane(start.await?)
            }
            _ => bail!("there is no fresh {}", way.name()),
        };
        Ok(Fresh(system))
    }

    /// Streams through it.
    pub(crate) fn streams(&self, fresh: &Fresh, body: &Bytes) -> Result<Arc<Target>> {
        let (keys, address) = (&self.keys.free, fresh.address());
        Ok(Arc::new(Target::messages(address, keys, body, Expect::Stream)?))
    }
}

impl Fresh {
    fn address(&self) -> SocketAddr {
        match &self.0 {
            System::Nginx(nginx) => nginx.address(Expect::Stream),
            System::DataPlane(data) => data.address(),
        }
    }

    pub(crate) fn meter(&self) -> &Meter {
        match &self.0 {
            System::Nginx(nginx) => nginx.meter(),
            System::DataPlane(data) => data.meter(),
        }
    }
}
