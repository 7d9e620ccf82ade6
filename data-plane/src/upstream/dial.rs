//! Dialling a target directly or through the provider's proxy.
//!
//! A proxy that cannot be reached is bypassed where the operator allows it; a proxy that answers and refuses is not, for
//! then its answer is the operator's will or the target's state. While it is bypassed each new connection tries the
//! proxy first, so it is used again as soon as it is back; that it is bypassed is said when it begins and when it ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use tower_service::Service;

use super::connect::{BoxError, ConnectError};
use super::through::{Plain, Stream, Through};

/// See the module.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) direct: Plain,
    pub(super) through: Option<Through>,
    pub(super) fallback: Fallback,
}

/// What happens when the proxy cannot be reached.
#[derive(Clone, Debug)]
pub(super) enum Fallback {
    /// It is an error.
    None,
    /// The target is dialled directly. Holds whether that is so now.
    Direct(Arc<AtomicBool>),
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let Self {
            mut direct,
            through,
            fallback,
        } = self.clone();
        Box::pin(async move {
            let Some(through) = through else {
                return Ok(MaybeHttpsStream::Http(direct.call(target).await?));
            };
            match (through.connect(&target).await, &fallback) {
                (Err(error @ ConnectError::ProxyUnreachable { .. }), Fallback::Direct(bypassed)) => {
                    if !bypassed.swap(true, Ordering::Relaxed) {
                        let error = super::cause::chain(&error);
                        tracing::warn!(
                            error,
                            "a proxy cannot be reached and is bypassed, as fallback_to_direct says"
                        );
                    }
                    Ok(MaybeHttpsStream::Http(direct.call(target).await?))
                }
                (Ok(stream), Fallback::Direct(bypassed)) if bypassed.swap(false, Ordering::Relaxed) => {
                    tracing::info!(proxy = through.name(), "the proxy is used again");
                    Ok(stream)
                }
                (connected, _) => Ok(connected?),
            }
        })
    }
}

#[cfg(test)]
mod tests;
