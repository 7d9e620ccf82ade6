//! Listeners: given by the caller, or bound as configured.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Fault;
use crate::config::{ListenArgs, TlsArgs};
use crate::pipe::PipeListener;

/// Where a control plane is reached. What is None is bound as the configuration says.
#[derive(Debug, Default)]
pub struct Listeners {
    pub grpc: Option<TcpListener>,
    pub console: Option<TcpListener>,
    /// The in-memory way in, beside the others.
    pub pipe: Option<PipeListener>,
    /// `/health/live` answers 503 until this is cancelled. For a process that is more than its control plane.
    pub live_after: Option<CancellationToken>,
}

/// Binds one address; the error says what to do.
pub async fn bind(flag: &'static str, addr: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(addr).await.map_err(|source| {
        let hints = [
            (
                io::ErrorKind::AddrInUse,
                "; another process uses the port: stop it or choose another port",
            ),
            (
                io::ErrorKind::PermissionDenied,
                "; ports below 1024 need privileges: choose a higher port",
            ),
            (
                io::ErrorKind::AddrNotAvailable,
                "; the address is not one of this machine's",
            ),
        ];
        let hint = hints
            .iter()
            .find(|(kind, _)| *kind == source.kind())
            .map_or("", |(_, hint)| *hint);
        Fault::Listen {
            flag,
            addr,
            source,
            hint,
        }
    })
}

/// For the log.
pub(crate) fn address(listener: &TcpListener) -> String {
    listener
        .local_addr()
        .map_or_else(|_| "unknown".to_owned(), |addr| addr.to_string())
}

/// Credentials leave the process in the clear only on loopback or when the operator says so.
pub(crate) fn check_exposure(
    listen: &ListenArgs,
    given: Option<&TcpListener>,
    tls: &TlsArgs,
) -> Result<(), Fault> {
    let addr = given
        .and_then(|listener| listener.local_addr().ok())
        .unwrap_or(listen.listen_grpc);
    let protected = tls.tls_cert.is_some() || tls.insecure_plaintext;
    if addr.ip().to_canonical().is_loopback() || protected {
        return Ok(());
    }
    Err(Fault::Plaintext(addr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(addr: &str, tls: &TlsArgs) -> Result<(), Fault> {
        let listen = ListenArgs {
            listen_grpc: addr.parse().unwrap(),
            listen_console: "127.0.0.1:0".parse().unwrap(),
        };
        check_exposure(&listen, None, tls)
    }

    #[test]
    fn plaintext_off_loopback_is_refused_unless_asked_for() {
        let plain = TlsArgs::default();
        for loopback in [
            "127.0.0.1:9090",
            "127.8.8.8:1",
            "[::1]:9090",
            "[::ffff:127.0.0.1]:9090",
        ] {
            assert!(exposure(loopback, &plain).is_ok(), "{loopback}");
        }
        for open in ["0.0.0.0:9090", "10.0.0.1:9090", "[::]:9090"] {
            let message = exposure(open, &plain).unwrap_err().to_string();
            assert!(
                message.contains("--tls-cert") && message.contains("--insecure-plaintext"),
                "{message}"
            );
        }
        let asked = TlsArgs {
            insecure_plaintext: true,
            ..TlsArgs::default()
        };
        assert!(exposure("0.0.0.0:9090", &asked).is_ok());
    }

    #[tokio::test]
    async fn g15_a_taken_port_is_named_with_its_flag() {
        let taken = bind("--listen-grpc", "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let again = bind("--listen-grpc", taken.local_addr().unwrap())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            again.contains("--listen-grpc") && again.contains("another process"),
            "{again}"
        );
    }
}
