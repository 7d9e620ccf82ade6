//! What a provider is called with, as data planes get it.
//!
//! Only what goes upstream is here. How an access token is obtained (a refresh token, a private key, a client's secret)
//! stays in the control plane, so that a data plane cannot lose it.

use crate::invalid::Invalid;
use crate::secret::Secret;
use crate::time::UnixMs;

/// A provider's credential.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
pub enum Credential {
    /// A vendor's key; the provider's kind says in which header it goes.
    ApiKey(Secret),
    /// Goes as `Authorization: Bearer`, whatever the kind.
    Bearer(Bearer),
    /// Requests are signed with it.
    Aws(AwsKeys),
}

/// A bearer token.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
pub struct Bearer {
    pub token: Secret,
    /// None: it is the operator's own and nobody can renew it.
    pub renewal: Option<Renewal>,
}

/// Of a token that the control plane obtains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Rises with each token of the provider.
    pub version: u64,
    pub expires_at: UnixMs,
    /// There will be no other token until an operator does something.
    pub stopped: bool,
}

/// Keys of AWS.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
pub struct AwsKeys {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// Of temporary keys.
    pub session_token: Option<Secret>,
    /// As in `us-east-1`.
    pub region: String,
}

impl Credential {
    /// The [`SCHEMA`](crate::resource::SCHEMA) that knows this kind.
    pub fn required_schema(&self) -> u32 {
        match self {
            Self::ApiKey(_) => 1,
            Self::Bearer(_) | Self::Aws(_) => 4,
        }
    }

    /// What goes upstream as it is; to be masked where a provider repeats it. Empty: nothing does.
    pub fn presented(&self) -> &str {
        match self {
            // To be compared with.
            Self::ApiKey(key) => key.expose(),
            Self::Bearer(bearer) => bearer.token.expose(),
            Self::Aws(keys) => keys.session_token.as_ref().map_or("", Secret::expose),
        }
    }

    /// Of a token that the control plane renews.
    pub fn renewal(&self) -> Option<Renewal> {
        match self {
            Self::Bearer(bearer) => bearer.renewal,
            Self::ApiKey(_) | Self::Aws(_) => None,
        }
    }
}

impl AwsKeys {
    /// What can be wrong with it. No text quotes a secret.
    pub fn validate(&self) -> Result<(), Invalid> {
        let word =
            |text: &str| (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !word(&self.access_key_id) {
            let problem = "must be 1 to 128 letters and digits, as in AKIAIOSFODNN7EXAMPLE";
            return Err(Invalid::new("access_key_id", problem));
        }
        let region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.region.is_empty() || self.region.len() > 64 || !self.region.bytes().all(region) {
            return Err(Invalid::new("region", "must be one of AWS's, as in us-east-1"));
        }
        let secrets = [
            ("secret_access_key", Some(&self.secret_access_key)),
            ("session_token", self.session_token.as_ref()),
        ];
        for (field, secret) in secrets {
            secret.map_or(Ok(()), |secret| check(field, secret))?;
        }
        Ok(())
    }
}

/// No vendor's credential is longer.
pub const MAX_CREDENTIAL: usize = 16 * 1024;

/// A credential must fit into a header. The problem never quotes it.
pub fn check(field: &str, credential: &Secret) -> Result<(), Invalid> {
    // Only looked at.
    let text = credential.expose();
    let problem = if text.is_empty() {
        "must not be empty; leave it out to keep the present one"
    } else if text.len() > MAX_CREDENTIAL {
        "is too long for a credential"
    } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
        "must be printable ASCII without spaces, to fit into a header"
    } else {
        return Ok(());
    };
    Err(Invalid::new(field, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> AwsKeys {
        AwsKeys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
            region: "us-east-1".to_owned(),
        }
    }

    #[test]
    fn f02_keys_of_aws_are_checked_without_being_quoted() {
        assert_eq!(keys().validate(), Ok(()));
        let bad = AwsKeys {
            secret_access_key: Secret::new("hidden key"),
            ..keys()
        };
        let problem = bad.validate().unwrap_err();
        assert_eq!(problem.field, "secret_access_key");
        assert!(!problem.problem.contains("hidden"));
        let nowhere = AwsKeys {
            region: "US East".to_owned(),
            ..keys()
        };
        assert_eq!(nowhere.validate().unwrap_err().field, "region");
    }

    #[test]
    fn f01_a_credential_fits_into_a_header_and_is_never_quoted() {
        assert_eq!(check("credential", &Secret::new("sk-ant-api03-abc")), Ok(()));
        for (text, problem) in [
            ("", "must not be empty"),
            ("sk line\nbreak", "printable ASCII"),
            (&"x".repeat(MAX_CREDENTIAL + 1), "too long"),
        ] {
            let found = check("credential", &Secret::new(text)).unwrap_err().problem;
            assert!(found.contains(problem), "{found}");
        }
    }

    #[test]
    fn f02_older_nodes_get_plain_keys_only() {
        assert_eq!(Credential::ApiKey(Secret::new("k")).required_schema(), 1);
        assert_eq!(Credential::Aws(keys()).required_schema(), 4);
        assert_eq!(Credential::Aws(keys()).presented(), "");
    }
}
