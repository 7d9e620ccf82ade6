//! Where token endpoints and webhooks may be.
//!
//! A token URL is called from inside the network with a secret, and that of a service account comes out of a file that
//! somebody uploaded. So: https, the public web only (the address that was checked is the one dialled), and for service
//! accounts Google's hosts only. An operator who runs an authorization server inside names its host
//! (`--trusted-host`); such a host may have any address and speak plain http, except link-local and metadata
//! addresses, which are never dialled.

use http::Uri;
use penstock_core::invalid::Invalid;
use penstock_outbound::Reach;

/// What a URL is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Called by the control plane.
    TokenUrl,
    /// Called by the control plane, and named by a key file.
    GoogleTokenUri,
    /// Called by the control plane with notifications.
    Webhook,
    /// Opened by an operator's browser.
    AuthorizeUrl,
}

/// The URL, and which addresses its host may have.
pub(crate) fn check(
    field: &str,
    url: &str,
    purpose: Purpose,
    trusted: &[String],
) -> Result<(Uri, Reach), Invalid> {
    let problem = |text: &str| Invalid::new(field, text);
    if url.contains('#') || !url.is_ascii() {
        return Err(problem("must be a URL without a fragment"));
    }
    let uri: Uri = url.parse().map_err(|_| problem("is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(problem("must begin with https:// and a host"));
    };
    if authority.as_str().contains('@') {
        return Err(problem("must not carry a user or password"));
    }
    let host = authority.host().to_ascii_lowercase();
    let with_port = authority.as_str().to_ascii_lowercase();
    let is_trusted = trusted.iter().any(|known| *known == host || *known == with_port);
    match scheme {
        "https" => {}
        "http" if is_trusted => {}
        "http" => return Err(problem(HTTP)),
        _ => return Err(problem("must begin with https://")),
    }
    if purpose == Purpose::GoogleTokenUri && !is_trusted && !is_googles(&host, authority.port_u16()) {
        return Err(problem(NOT_GOOGLE));
    }
    let reach = match is_trusted || purpose == Purpose::AuthorizeUrl {
        true => Reach::Local,
        false => Reach::Public,
    };
    reach
        .check_host(&host)
        .map_err(|forbidden| Invalid::new(field, format!("{forbidden}; {TRUST}")))?;
    Ok((uri, reach))
}

const TRUST: &str = "if it is your own, start the control plane with --trusted-host HOST";
const HTTP: &str =
    "must begin with https://; if the host is your own, start the control plane with --trusted-host HOST";
const NOT_GOOGLE: &str = "is not one of Google's (googleapis.com, accounts.google.com); if it is your own, start the \
                          control plane with --trusted-host HOST";

fn is_googles(host: &str, port: Option<u16>) -> bool {
    let named =
        host == "accounts.google.com" || host == "googleapis.com" || host.ends_with(".googleapis.com");
    named && port.is_none_or(|port| port == 443)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str, purpose: Purpose) -> String {
        check("token_url", url, purpose, &[]).unwrap_err().problem
    }

    #[test]
    fn s02_token_urls_are_https_and_public() {
        let (_, reach) = check("u", "https://auth.example/token", Purpose::TokenUrl, &[]).unwrap();
        assert_eq!(reach, Reach::Public);
        assert!(problem("http://auth.example/token", Purpose::TokenUrl).contains("https://"));
        for inside in [
            "https://127.0.0.1/token",
            "https://10.0.0.8:8443/token",
            "https://[::1]/token",
            "https://[::ffff:192.168.1.1]/token",
            "https://127.0.0.1./token",
            "https://0x7f000001/token",
        ] {
            assert!(
                problem(inside, Purpose::TokenUrl).contains("--trusted-host"),
                "{inside}"
            );
        }
        assert!(problem("https://user:pw@auth.example/", Purpose::TokenUrl).contains("password"));
        assert!(problem("ftp://auth.example/token", Purpose::TokenUrl).contains("https://"));
        assert!(check("u", "file:///etc/passwd", Purpose::TokenUrl, &[]).is_err());
        assert!(check("u", "auth.example/token", Purpose::TokenUrl, &[]).is_err());
    }

    #[test]
    fn s02_a_trusted_host_may_be_inside_but_never_a_metadata_service() {
        let trusted = ["127.0.0.1:9000".to_owned(), "169.254.169.254".to_owned()];
        let (_, reach) = check("u", "http://127.0.0.1:9000/token", Purpose::TokenUrl, &trusted).unwrap();
        assert_eq!(reach, Reach::Local);
        assert!(check("u", "http://127.0.0.1:9001/token", Purpose::TokenUrl, &trusted).is_err());
        assert!(check("u", "http://169.254.169.254/token", Purpose::TokenUrl, &trusted).is_err());
    }

    #[test]
    fn s02_a_key_file_cannot_send_its_assertions_anywhere() {
        for fine in [
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com/o/oauth2/token",
        ] {
            assert!(check("u", fine, Purpose::GoogleTokenUri, &[]).is_ok(), "{fine}");
        }
        for elsewhere in [
            "https://googleapis.com.evil.example/token",
            "https://evilgoogleapis.com/token",
            "https://oauth2.googleapis.com:8443/token",
            "https://auth.example/token",
        ] {
            assert!(
                problem(elsewhere, Purpose::GoogleTokenUri).contains("Google"),
                "{elsewhere}"
            );
        }
        let trusted = ["auth.example".to_owned()];
        assert!(
            check(
                "u",
                "https://auth.example/token",
                Purpose::GoogleTokenUri,
                &trusted
            )
            .is_ok()
        );
    }
}
