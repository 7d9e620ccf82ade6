//! What an error of a connection was, found in its chain of causes.
//!
//! The layers (hyper, rustls, the operating system, our own connectors) wrap each other; the innermost that is known
//! decides, but for a proxy: whatever happened on the way to it is the proxy's.

use std::error::Error;
use std::io;

use super::connect::ConnectError;

/// One to one with the network causes of error classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The name has no address, or cannot be looked up.
    Dns,
    /// Nobody listens there.
    Refused,
    /// The connection broke.
    Reset,
    /// No trust, or no TLS at the other end.
    Tls,
    /// It took too long.
    ConnectTimeout,
    /// The proxy cannot be reached, or gives no connection.
    Proxy,
    /// It ended before there was an answer.
    Eof,
    /// An address that is never dialled.
    NotConfigured,
    /// Something else.
    Other,
}

/// What an error was; see the module.
pub fn cause(error: &(dyn Error + 'static)) -> Cause {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(own) = error.downcast_ref::<ConnectError>() {
            return of_connect(own);
        }
        if error.is::<rustls::Error>() {
            return Cause::Tls;
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // The source of an io error is that of the error inside, which would be skipped.
            let inside = io.get_ref().map(|inside| cause(inside));
            return match inside {
                Some(known) if known != Cause::Other => known,
                Some(_) | None => of_io(io.kind()),
            };
        }
        if let Some(hyper) = error.downcast_ref::<hyper::Error>()
            && hyper.is_incomplete_message()
        {
            return Cause::Eof;
        }
        next = error.source();
    }
    Cause::Other
}

fn of_connect(error: &ConnectError) -> Cause {
    match error {
        ConnectError::Timeout(_) => Cause::ConnectTimeout,
        ConnectError::Forbidden(_) => Cause::NotConfigured,
        ConnectError::NoAddress(_) | ConnectError::NoIpv4(_) | ConnectError::Lookup { .. } => Cause::Dns,
        ConnectError::ProxyUnreachable { .. } | ConnectError::ProxyRefused { .. } => Cause::Proxy,
    }
}

fn of_io(kind: io::ErrorKind) -> Cause {
    use io::ErrorKind;
    let known = [
        (ErrorKind::ConnectionRefused, Cause::Refused),
        (ErrorKind::ConnectionReset, Cause::Reset),
        (ErrorKind::ConnectionAborted, Cause::Reset),
        (ErrorKind::BrokenPipe, Cause::Reset),
        (ErrorKind::UnexpectedEof, Cause::Eof),
        (ErrorKind::TimedOut, Cause::ConnectTimeout),
    ];
    let found = known.iter().find(|(of, _)| *of == kind);
    found.map_or(Cause::Other, |(_, cause)| *cause)
}

/// An error with all its causes; addresses in it are for the log.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        // Some layers repeat what is inside them.
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Box<dyn Error + Send + Sync>);

    fn wrapped(error: impl Error + Send + Sync + 'static) -> Cause {
        cause(&Outer(Box::new(Outer(Box::new(error)))))
    }

    #[test]
    fn b05_each_network_error_has_its_cause() {
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        assert_eq!(wrapped(io(io::ErrorKind::ConnectionRefused)), Cause::Refused);
        assert_eq!(wrapped(io(io::ErrorKind::BrokenPipe)), Cause::Reset);
        assert_eq!(wrapped(io(io::ErrorKind::UnexpectedEof)), Cause::Eof);
        assert_eq!(wrapped(io(io::ErrorKind::TimedOut)), Cause::ConnectTimeout);
        assert_eq!(wrapped(io(io::ErrorKind::InvalidInput)), Cause::Other);
        let timeout = ConnectError::Timeout(Duration::from_secs(1));
        assert_eq!(wrapped(timeout), Cause::ConnectTimeout);
        assert_eq!(wrapped(ConnectError::NoAddress("h".into())), Cause::Dns);
    }

    #[test]
    fn b05_a_fault_of_tls_is_found_inside_io_errors() {
        let tls = || rustls::Error::General("no trust".into());
        let inner = io::Error::new(io::ErrorKind::InvalidData, tls());
        assert_eq!(wrapped(io::Error::other(inner)), Cause::Tls);
        assert_eq!(wrapped(tls()), Cause::Tls);
    }

    #[test]
    fn b10_what_fails_on_the_way_to_a_proxy_is_the_proxys() {
        let refused = ConnectError::ProxyUnreachable {
            proxy: "socks5://h:1".into(),
            source: io::Error::from(io::ErrorKind::ConnectionRefused).into(),
        };
        let text = chain(&refused);
        assert!(
            text.starts_with("the proxy socks5://h:1 cannot be reached: "),
            "{text}"
        );
        assert_eq!(wrapped(refused), Cause::Proxy);
    }
}
