//! What an operator can do about a check that failed.

use penstock_core::failure::{Class, Finding};

use crate::upstream::Cause;

pub(super) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Dns => "check the host name in the base URL, and that the data planes can look it up",
        Cause::Refused => {
            "nothing listens there: check host and port of the base URL, and firewalls on the way"
        }
        Cause::Reset | Cause::Eof => {
            "the other end hung up: check that the base URL's scheme fits (http or https), and proxies on the way"
        }
        Cause::Tls => {
            "no trusted TLS at the other end: check the base URL's scheme and host; for a certificate of your own give its \
             authority with --ca-file"
        }
        Cause::ConnectTimeout => "no connection in time: check firewalls, or reach the provider by --proxy",
        Cause::Proxy => {
            "check the proxy's address, user and password (--proxy, --proxy-password -), and that it may reach the \
             provider; --fallback-to-direct passes it by"
        }
        Cause::NotConfigured => "the base URL names an address that is never dialled; give another one",
        Cause::Other => "see the data plane's log, and try the base URL from its machine",
    }
}

pub(super) const TIMEOUT: &str = "nothing came in time: try a longer --timeout, and check proxies on the way";
pub(super) const TARGET: &str = "mend the provider's configuration: penstock provider get, provider update";

pub(super) fn credential(permanent: bool) -> &'static str {
    match permanent {
        true => "the account is closed or on hold: settle it with the vendor, then penstock provider reset",
        false => "give a credential that is in force: penstock provider update NAME --api-key -",
    }
}

/// None: a success that is none.
pub(super) fn finding(finding: Option<&Finding>) -> &'static str {
    let foreign = finding.is_some_and(|finding| finding.network.is_some());
    match finding.filter(|_| !foreign).map(|finding| finding.class) {
        Some(Class::NoModel) => {
            "the provider does not have this model: name another with --model, or add a redirect"
        }
        Some(Class::Billing) => "the account has no money left: top it up with the vendor",
        Some(Class::RateLimited | Class::Overloaded) => {
            "the provider is busy; the credential is good. Try again later"
        }
        Some(Class::Credential) => credential(false),
        Some(Class::Transient | Class::Interrupted) => "the provider has a fault; try again later",
        Some(Class::Unrecognised) | None => {
            "this is no answer of the API: check the base URL, and edges or proxies that answer in its place"
        }
        Some(Class::Caller | Class::TooLong | Class::Filtered | Class::ForeignState) => {
            "the provider does not take the test's request: check its kind, its base URL and the model's name"
        }
    }
}
