//! `penstock master-key`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view::{MasterKey, MasterKeyRotated};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Which keys the control plane has, and how many values are sealed under which
    Show,
    /// Seal everything under the present key that is under another one; can be cut off and called again
    Rotate {
        #[command(flatten)]
        reason: Reason,
    },
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let services = session.connect().await?;
        match self {
            Self::Show => {
                let answer = services
                    .master_key()
                    .show_master_key(wire::ShowMasterKeyRequest {})
                    .await?;
                session.print(&MasterKey::read(answer.into_inner()))
            }
            Self::Rotate { reason } => {
                let request = wire::RotateMasterKeyRequest {
                    change: reason.info(),
                };
                let answer = services.master_key().rotate_master_key(request).await?;
                session.print(&MasterKeyRotated::read(answer.into_inner()))
            }
        }
    }
}
