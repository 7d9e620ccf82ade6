//! Dialling a target directly or through the provider's proxy.
//!
//! A proxy that cannot be reached is bypassed where the operator allows it; a proxy that answers and refuses is not, for
//! then its answer is the operator's will or the target's state. A proxy that could not be reached is tried again after
//! half a minute, so that not each new connection waits for it; that it is bypassed is said when that begins and ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use tokio::time::Instant;
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
    /// The target is dialled directly.
    Direct(Arc<Bypass>),
}

/// Since when a proxy is not even tried, and until when.
#[derive(Debug, Default)]
pub(super) struct Bypass(Mutex<Option<Instant>>);

/// For so long no connection waits for a proxy that could not be reached.
const BYPASS: Duration = Duration::from_secs(30);

impl Bypass {
    fn holds(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// True when it was not bypassed before.
    fn begin(&self) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.replace(Instant::now() + BYPASS).is_none()
    }

    /// True when it was bypassed before.
    fn end(&self) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.take().is_some()
    }
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
            if let Fallback::Direct(bypass) = &fallback
                && bypass.holds()
            {
                return Ok(MaybeHttpsStream::Http(direct.call(target).await?));
            }
            match (through.connect(&target).await, &fallback) {
                (Err(error @ ConnectError::ProxyUnreachable { .. }), Fallback::Direct(bypass)) => {
                    if bypass.begin() {
                        let error = super::cause::chain(&error);
                        tracing::warn!(
                            error,
                            "a proxy cannot be reached and is bypassed, as fallback_to_direct says"
                        );
                    }
                    Ok(MaybeHttpsStream::Http(direct.call(target).await?))
                }
                (Ok(stream), Fallback::Direct(bypass)) if bypass.end() => {
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
