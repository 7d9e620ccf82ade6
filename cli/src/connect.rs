//! Connecting to a control plane.
//!
//! A refused connection is repeated for [`PATIENCE`], so that a command right after a start works. The token goes over
//! TLS, to this machine, or, when the operator insists, in plain text.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::failure::Failure;
use crate::target::{self, Target};

/// How long a refused connection is tried again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
const CONNECT: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(60);

/// Adds the token to every call.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

/// Connects, or says why not.
pub(crate) async fn connect(target: &Target) -> Result<(Channel, Bearer), Failure> {
    let bearer = Bearer::new(target)?;
    let endpoint = endpoint(target)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let error = match endpoint.connect().await {
            Ok(channel) => return Ok((channel, bearer)),
            Err(error) => error,
        };
        if !is_refused(&error) {
            return Err(unreachable(target, innermost(&error)));
        }
        if Instant::now() >= deadline {
            return Err(Failure::Refused {
                url: target.server.clone(),
                origin: target.origin.clone(),
            });
        }
        sleep(PAUSE).await;
    }
}

fn endpoint(target: &Target) -> Result<Endpoint, Failure> {
    let wrong = || {
        Failure::Input(format!(
            "{:?} ({}) is not a server's URL\nWrite it as http://127.0.0.1:9090 or https://host:port.",
            target.server, target.origin
        ))
    };
    let endpoint = Endpoint::from_shared(target.server.clone()).map_err(|_| wrong())?;
    let host = endpoint.uri().host().map(str::to_owned).ok_or_else(wrong)?;
    let endpoint = match endpoint.uri().scheme_str() {
        Some("https") => endpoint
            .tls_config(tls(target)?)
            .map_err(|error| unreachable(target, innermost(&error)))?,
        Some("http") if target.insecure_plaintext || target::is_loopback(&host) => endpoint,
        Some("http") => {
            return Err(Failure::Input(format!(
                "{} ({}) would get the admin token unencrypted over the network\nUse https://, or --insecure-plaintext if the network is trusted.",
                target.server, target.origin
            )));
        }
        Some(_) | None => return Err(wrong()),
    };
    Ok(endpoint.connect_timeout(CONNECT).timeout(CALL).tcp_nodelay(true))
}

fn tls(target: &Target) -> Result<ClientTlsConfig, Failure> {
    let Some(path) = &target.tls_ca else {
        return Ok(ClientTlsConfig::new().with_webpki_roots());
    };
    let pem = std::fs::read(path).map_err(|source| Failure::File {
        action: "read",
        path: path.clone(),
        source,
    })?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
}

fn unreachable(target: &Target, reason: String) -> Failure {
    Failure::Unreachable {
        url: target.server.clone(),
        origin: target.origin.clone(),
        reason,
    }
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

impl Bearer {
    fn new(target: &Target) -> Result<Self, Failure> {
        // Into the header that proves who we are.
        let text = format!("Bearer {}", target.token.expose());
        let mut value: MetadataValue<Ascii> = text.parse().map_err(|_| {
            Failure::Input(
                "the token has characters that no token has\nCheck PENSTOCK_TOKEN or the token file.".into(),
            )
        })?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::secret::Secret;

    use super::*;
    use crate::target::Origin;

    fn target(server: &str) -> Target {
        Target {
            server: server.into(),
            origin: Origin::Env("PENSTOCK_SERVER"),
            token: Secret::new("token"),
            tls_ca: None,
            insecure_plaintext: false,
        }
    }

    #[test]
    fn the_token_is_not_sent_in_plain_text_over_the_network() {
        let failure = endpoint(&target("http://10.0.0.1:9090")).unwrap_err().to_string();
        assert!(failure.contains("--insecure-plaintext"), "{failure}");
        let insists = Target {
            insecure_plaintext: true,
            ..target("http://10.0.0.1:9090")
        };
        assert!(endpoint(&insists).is_ok());
        for local in ["http://127.0.0.1:9090", "http://localhost:1", "http://[::1]:9090"] {
            assert!(endpoint(&target(local)).is_ok(), "{local}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_naming_where_it_came_from() {
        for text in ["127.0.0.1:9090", "ftp://host", "", "http://"] {
            let failure = endpoint(&target(text)).unwrap_err().to_string();
            assert!(failure.contains("PENSTOCK_SERVER"), "{text}: {failure}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_connection_is_repeated_for_five_seconds() {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let begun = Instant::now();
        let failure = connect(&target(&format!("http://{free}"))).await.err().unwrap();
        assert!(matches!(failure, Failure::Refused { .. }), "{failure}");
        assert!(begun.elapsed() >= PATIENCE);
        assert!(failure.to_string().contains("from PENSTOCK_SERVER"), "{failure}");
    }

    #[test]
    fn a_token_that_fits_no_header_is_refused_without_showing_it() {
        let odd = Target {
            token: Secret::new("to\nken"),
            ..target("http://127.0.0.1:1")
        };
        assert!(!Bearer::new(&odd).err().unwrap().to_string().contains("ken\n"));
    }
}
