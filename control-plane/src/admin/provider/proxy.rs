//! The password of a provider's proxy.
//!
//! It belongs to the proxy that it was given for, with its user: when the proxy changes and no password comes with it,
//! the old one goes.

use penstock_core::invalid::Invalid;
use penstock_core::provider::OutboundProxy;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_store::CredentialChange;
use tonic::Status;

use crate::admin::status;
use crate::credentials::{Field, Sealer};

/// The longest that SOCKS5 can carry.
const MAX_PASSWORD: usize = 255;

/// What becomes of the password when the proxy was the first and shall be the second.
pub(in crate::admin) fn password(
    sealer: &Sealer,
    reference: &ResourceRef,
    (was, shall_be): (Option<&OutboundProxy>, Option<&OutboundProxy>),
    given: Option<String>,
) -> Result<CredentialChange, Status> {
    let Some(secret) = given.map(Secret::new) else {
        return Ok(match was == shall_be {
            true => CredentialChange::Keep,
            false => CredentialChange::Clear,
        });
    };
    if secret.is_empty() {
        return Ok(CredentialChange::Clear);
    }
    check(shall_be, &secret).map_err(|error| status::invalid(&error))?;
    let mut sealed = sealer
        .seal(reference, Field::ProxyPassword, &secret)
        .map_err(|error| {
            tracing::error!(%error, %reference, "a proxy's password cannot be sealed");
            Status::internal(format!("the proxy's password cannot be sealed: {error}"))
        })?;
    // Passwords are short; even a part of one is too much.
    sealed.hint.clear();
    Ok(CredentialChange::Set(sealed))
}

/// The problem never quotes it.
fn check(proxy: Option<&OutboundProxy>, password: &Secret) -> Result<(), Invalid> {
    // Only looked at.
    let text = password.expose();
    let problem = if proxy.is_none() {
        "is given, but no proxy is"
    } else if proxy.is_some_and(|proxy| proxy.username.is_none()) {
        "is given, but the proxy's URL names no user; write it as scheme://user@host:port"
    } else if text.len() > MAX_PASSWORD {
        "is longer than 255 bytes"
    } else if text.contains(char::is_control) {
        "must not contain control characters"
    } else {
        return Ok(());
    };
    Err(Invalid::new("proxy_password", problem))
}

#[cfg(test)]
mod tests {
    use penstock_core::id::ProviderId;

    use super::*;
    use crate::credentials::MasterKey;

    fn change(was: &str, shall_be: &str, given: Option<&str>) -> Result<CredentialChange, Status> {
        let sealer = Sealer::new(&MasterKey::from_bytes([1; 32])).unwrap();
        let reference = ResourceRef::Provider(ProviderId::from_parts(1, &[1; 10]));
        let proxy = |text: &str| text.parse::<OutboundProxy>().ok();
        let (was, shall_be) = (proxy(was), proxy(shall_be));
        let given = given.map(str::to_owned);
        password(&sealer, &reference, (was.as_ref(), shall_be.as_ref()), given)
    }

    #[test]
    fn f01_a_password_stays_with_its_proxy() {
        let same = change("http://u@a:1", "http://u@a:1", None);
        assert!(matches!(same, Ok(CredentialChange::Keep)));
        for other in ["http://u@b:1", "http://v@a:1", "socks5://u@a:1", ""] {
            let moved = change("http://u@a:1", other, None);
            assert!(matches!(moved, Ok(CredentialChange::Clear)), "{other}");
        }
        let dropped = change("http://u@a:1", "http://u@a:1", Some(""));
        assert!(matches!(dropped, Ok(CredentialChange::Clear)));
    }

    #[test]
    fn f01_nothing_of_a_password_is_shown_beside_it() {
        let Ok(CredentialChange::Set(sealed)) = change("", "http://u@a:1", Some("hunter2")) else {
            panic!("must be set");
        };
        assert_eq!(sealed.hint, "");
    }

    #[test]
    fn b10_a_password_without_a_user_is_refused_and_not_quoted() {
        for proxy in ["", "http://a:1"] {
            let refused = change("", proxy, Some("hunter2")).unwrap_err();
            assert!(refused.message().contains("proxy_password"), "{refused}");
            assert!(!refused.message().contains("hunter2"));
        }
        assert!(change("", "http://u@a:1", Some("a\nb")).is_err());
    }
}
