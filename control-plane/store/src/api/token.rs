//! Access tokens that the control plane obtains for providers, who may obtain them now, and logins that have begun.
//!
//! A token is no configuration: it has a row of its own, replaced by compare-and-swap, and is not in the history. But it
//! takes a revision, so that data planes get it as they get everything.

use std::fmt;

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::stored::Sealed;

/// The token of one provider, and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    pub provider: ProviderId,
    /// Rises with each token; 0: there was none yet.
    pub version: u64,
    /// The version of the provider's credential that it was obtained with. Of another one it is worth nothing.
    pub credential_version: u64,
    pub state: TokenState,
    /// None: there is none of this credential.
    pub token: Option<SealedToken>,
    /// What went wrong since the token was written.
    pub failure: Option<TokenFailure>,
    /// When its refresh token was shown to the token endpoint, while the outcome is not known. Of a lease that is over:
    /// whoever asked was cut off, and the refresh token may be used up.
    pub exchange_began_at: Option<UnixMs>,
}

/// Access and refresh token, sealed as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedToken {
    pub sealed: Sealed,
    pub obtained_at: UnixMs,
    pub expires_at: UnixMs,
}

/// Whether new tokens are obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    Ready,
    /// The refresh token is worth nothing: an operator must log in.
    NeedsLogin,
    /// The authorization server does not accept the client: an operator must change it.
    Misconfigured,
}

/// A refresh or exchange that failed. No text in it holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFailure {
    pub at: UnixMs,
    /// In a row.
    pub times: u32,
    pub step: String,
    /// Of the answer; None: there was none.
    pub status: Option<u16>,
    /// The OAuth error code, or empty.
    pub error: String,
    pub body: String,
    /// Scheme and host, or empty.
    pub proxy: String,
    pub causes: String,
    pub advice: String,
    /// None: not until an operator does something.
    pub next_try_at: Option<UnixMs>,
}

/// A new token, to be written in the place of another.
#[derive(Clone, Debug)]
pub struct TokenPut {
    pub provider: ProviderId,
    /// The version that it replaces; 0: there was none.
    pub replaces: u64,
    pub credential_version: u64,
    /// Of the lease under which it was obtained.
    pub fence: u64,
    pub token: SealedToken,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenWritten {
    /// The new version.
    Written(u64),
    /// Another one was first: read again.
    Overtaken,
    /// There is no such provider any more.
    NoProvider,
}

/// A login that an operator began. What it holds is the control plane's to know.
#[derive(Clone, PartialEq, Eq)]
pub struct OauthLogin {
    pub provider: ProviderId,
    pub actor: String,
    pub sealed: Sealed,
    pub expires_at: UnixMs,
}

impl TokenState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NeedsLogin => "needs_login",
            Self::Misconfigured => "misconfigured",
        }
    }
}

impl fmt::Debug for OauthLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthLogin")
            .field("provider", &self.provider)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}
