//! The gRPC listener: TLS where it leaves the machine, with certificates that last.

use std::path::Path;

use penstock_core::time::UnixMs;
use x509_parser::pem::Pem;

use super::{Finding, Findings};
use crate::clock;
use crate::context::Context;

const DAY_MS: i64 = 86_400_000;
/// Certificates that are over in less are to be replaced.
const SOON_DAYS: i64 = 21;

pub(super) async fn check(context: &Context, found: &Findings) {
    let setup = &context.setup;
    let files = [("--tls-cert", &setup.tls_cert), ("--tls-ca", &setup.tls_ca)];
    for (flag, path) in files {
        if let Some(path) = path {
            found.tell(certificates(flag, path, clock::now())).await;
        }
    }
    if setup.plaintext {
        let plain = Finding::warn("tls", "gRPC leaves this machine without TLS")
            .why("Tokens and provider credentials cross the network in the clear, unless a mesh or tunnel encrypts them.")
            .fix("Give `--tls-cert` and `--tls-key` to the control planes, and https:// URLs to data planes and operators.");
        found.tell(plain).await;
    } else if setup.tls_cert.is_none() {
        found
            .tell(Finding::ok("tls", "gRPC listens on this machine only"))
            .await;
    }
}

fn certificates(flag: &'static str, path: &Path, now: UnixMs) -> Finding {
    let ends = std::fs::read(path).ok().and_then(|pem| earliest_end(&pem));
    let Some(end) = ends else {
        return Finding::warn(
            "tls",
            format!("{flag} {} cannot be read any more", path.display()),
        )
        .why("The next start fails.")
        .fix("Put the certificates back, readable to the control plane's user.");
    };
    judge(flag, end, now)
}

fn judge(flag: &str, end: UnixMs, now: UnixMs) -> Finding {
    let days = end.0.saturating_sub(now.0).div_euclid(DAY_MS);
    let fix = "Replace the files and restart the control planes one after the other.";
    if end <= now {
        return Finding::fail("tls", format!("the certificate of {flag} was over at {end}"))
            .why("Data planes and operators cannot connect.")
            .fix(fix);
    }
    let what = format!("the certificate of {flag} lasts {days} days");
    match days < SOON_DAYS {
        true => Finding::warn("tls", what)
            .why("After that data planes and operators cannot connect.")
            .fix(fix),
        false => Finding::ok("tls", what),
    }
}

/// Of the first certificate that is over, of all in the file.
fn earliest_end(pem: &[u8]) -> Option<UnixMs> {
    let ends = Pem::iter_from_buffer(pem).filter_map(|pem| {
        let pem = pem.ok()?;
        let seconds = pem.parse_x509().ok()?.validity().not_after.timestamp();
        Some(UnixMs(seconds.saturating_mul(1000)))
    });
    ends.min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn g06_a_certificate_that_is_over_soon_is_found() {
        let day = |n: i64| UnixMs(n * DAY_MS);
        assert_eq!(judge("--tls-cert", day(100), day(1)).level, Level::Ok);
        assert_eq!(judge("--tls-cert", day(10), day(1)).level, Level::Warn);
        assert_eq!(judge("--tls-cert", day(1), day(2)).level, Level::Fail);
    }

    #[test]
    fn g06_the_end_is_read_from_the_file() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let end = earliest_end(made.cert.pem().as_bytes()).unwrap();
        assert!(end > clock::now());
        assert_eq!(earliest_end(b"nothing"), None);
    }
}
