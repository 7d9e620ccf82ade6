//! What the role `user` may do with keys, and what it sees of them.
//!
//! It makes keys for its own user, with a new secret. Such a key can have rules and limits of its own, never more than the
//! user's, which hold beside them; so what a user may use in all is to be limited at the user.

use penstock_proto::admin::v1::Key;
use penstock_store::{Filter, Page, Store};
use tonic::Status;

use super::super::scope::Scope;
use super::super::status;

/// Keys that a user can have by its own doing.
const MAX_OWN: u32 = 100;

/// Refuses what this caller may not make. Without an owner it is the caller's own user.
pub(super) async fn check_create(
    scope: Scope,
    store: &dyn Store,
    owner: &mut String,
    imports: bool,
) -> Result<(), Status> {
    scope.may_change(store).await?;
    let Some(own) = scope.own() else {
        return Ok(());
    };
    if owner.is_empty() {
        *owner = own.to_string();
    }
    if imports {
        return Err(Status::permission_denied(
            "only operators can take over keys; leave the secret out to get a new one",
        ));
    }
    let filter = Filter::Keys { user: Some(own) };
    let listed = store.list(&filter, &Page::first(MAX_OWN)).await;
    if listed.map_err(status::from_store)?.resources.len() >= usize::try_from(MAX_OWN).unwrap_or(usize::MAX) {
        return Err(Status::failed_precondition(format!(
            "the user has {MAX_OWN} keys already; delete one first"
        )));
    }
    Ok(())
}

/// The key as this caller sees it: users see no names of nodes.
pub(super) fn shown(scope: Scope, mut key: Key) -> Key {
    if scope.own().is_some() {
        key.refused_by.clear();
    }
    key
}
