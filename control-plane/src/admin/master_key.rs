//! Putting another master key in the place of the present one.
//!
//! Each value is opened with the key that it is under, sealed under the present one and put back only if nobody changed it
//! meanwhile. A value that was changed is under the writer's key; the next round sees it. Cut off anywhere, the next call
//! goes on. The checks of other keys are forgotten last, when nothing needs them.

use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::master_key_service_server::MasterKeyService;
use penstock_store::SealedPlace;
use tonic::{Request, Response, Status};

use super::author::Author;
use super::status;
use crate::context::Context;
use crate::credentials::ResealError;

/// Of each kind of place at a time.
const BATCH: u32 = 200;

pub(super) struct MasterKeys(pub(super) Context);

#[tonic::async_trait]
impl MasterKeyService for MasterKeys {
    async fn show_master_key(
        &self,
        _: Request<wire::ShowMasterKeyRequest>,
    ) -> Result<Response<wire::ShowMasterKeyResponse>, Status> {
        let facts = self.0.store.examine().await.map_err(status::from_store)?;
        let sealed = facts
            .sealed
            .into_iter()
            .map(|(key_id, values)| wire::SealedUnder {
                known: self.0.sealer.knows(&key_id),
                key_id,
                values,
            });
        Ok(Response::new(wire::ShowMasterKeyResponse {
            key_id: self.0.sealer.key_id().to_owned(),
            sealed: sealed.collect(),
        }))
    }

    async fn rotate_master_key(
        &self,
        request: Request<wire::RotateMasterKeyRequest>,
    ) -> Result<Response<wire::RotateMasterKeyResponse>, Status> {
        let author = Author::of(&request);
        author.because(request.into_inner().change)?;
        let key_id = self.0.sealer.key_id().to_owned();
        let mut resealed = 0;
        loop {
            let round = self.round(&key_id).await?;
            if round == 0 {
                break;
            }
            resealed += round;
        }
        let forgotten = self.0.store.forget_master_key_checks(&key_id).await;
        let forgotten = forgotten.map_err(status::from_store)?;
        tracing::info!(
            actor = author.name(),
            key_id,
            resealed,
            forgotten,
            "the master key was rotated"
        );
        Ok(Response::new(wire::RotateMasterKeyResponse {
            key_id,
            resealed,
            forgotten,
        }))
    }
}

impl MasterKeys {
    /// Seals some values anew. 0: nothing is left.
    async fn round(&self, key_id: &str) -> Result<u64, Status> {
        let store = &self.0.store;
        let found = store
            .sealed_otherwise(key_id, BATCH)
            .await
            .map_err(status::from_store)?;
        let mut resealed = 0;
        for (place, was) in &found {
            let becomes = self
                .0
                .sealer
                .reseal(place, was)
                .map_err(|error| refused(place, &error))?;
            let moved = store
                .reseal(place, was, &becomes)
                .await
                .map_err(status::from_store)?;
            // One that was changed under us counts too: the next round looks at it again.
            resealed += u64::from(moved);
        }
        match (found.is_empty(), resealed) {
            (false, 0) => Err(Status::aborted(
                "values change faster than they can be sealed anew; is another control plane without the new key?",
            )),
            (_, resealed) => Ok(resealed),
        }
    }
}

fn refused(place: &SealedPlace, error: &ResealError) -> Status {
    tracing::warn!(?place, %error, "a value cannot be sealed anew");
    Status::failed_precondition(format!(
        "a sealed value cannot be opened: {error}. Start the control planes with the key that it is under beside the new one \
         (--other-master-key-file), or give the credential anew, then call again"
    ))
}
