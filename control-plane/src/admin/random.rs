//! Randomness for ids and secrets, from the operating system.

use tonic::Status;

/// Random bytes. Fails only when the system has none to give.
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], Status> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        Status::internal("the system gives no random bytes, so no id or secret can be made")
    })?;
    Ok(bytes)
}

/// What a new id is made of: the time and random bytes.
pub(super) fn id_parts() -> Result<(u64, [u8; 10]), Status> {
    let now = u64::try_from(crate::clock::now().0).unwrap_or_default();
    Ok((now, bytes()?))
}
