//! The classes of upstream failures and what each entails: one line a class.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cooling, Scope};

/// What a failure means. Each has a letter in the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// C: the caller's request is wrong.
    Caller,
    /// X: the context is too long.
    TooLong,
    /// F: the content was filtered or refused; nobody else is asked.
    Filtered,
    /// A: the conversation is bound to another account.
    ForeignState,
    /// N: no such model here.
    NoModel,
    /// K: the provider refuses its credential.
    Credential,
    /// B: the money at the provider is gone.
    Billing,
    /// R: the provider limits its rate.
    RateLimited,
    /// O: the provider is overloaded.
    Overloaded,
    /// T: it may work in a moment.
    Transient,
    /// M: broke after content began.
    Interrupted,
    /// A 403 or a page that nobody knows: the next provider, and nothing is held against this one.
    Unrecognised,
}

/// Whether the same provider is asked once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    Never,
    /// After this, with jitter.
    Once {
        after: Duration,
    },
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Client,
    Server,
    Network,
    Billing,
}

/// The business class that logs carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorClass {
    ClientAbort,
    NonRetryableClientError,
    ProviderError,
    SystemError,
    CredentialError,
    BillingError,
    PolicyRejection,
}

/// Of one class.
struct Behaviour {
    letter: char,
    name: &'static str,
    /// Another provider may be asked.
    next: bool,
    repeat: Repeat,
    /// The caller may read the provider's words.
    shown: bool,
    breaker: bool,
    scope: Scope,
    cooling: Option<Cooling>,
    category: Category,
    error_class: ErrorClass,
}

const SOON: Repeat = Repeat::Once {
    after: Duration::from_millis(500),
};

impl Class {
    pub const ALL: [Self; 12] = [
        Self::Caller,
        Self::TooLong,
        Self::Filtered,
        Self::ForeignState,
        Self::NoModel,
        Self::Credential,
        Self::Billing,
        Self::RateLimited,
        Self::Overloaded,
        Self::Transient,
        Self::Interrupted,
        Self::Unrecognised,
    ];

    #[rustfmt::skip]
    fn behaviour(self) -> Behaviour {
        use Category::{Billing, Client, Network, Server};
        use ErrorClass::{BillingError, CredentialError, NonRetryableClientError, ProviderError, SystemError};
        use Scope::{Model, Provider};
        let never = Repeat::Never;
        let (letter, name, next, repeat, shown, breaker, scope, cooling, category, error_class) = match self {
            //                     letter name            next  repeat  shown breaker scope     cooling                      whose fault
            Self::Caller       => ('C', "caller",        false, never, true,  false, Provider, None,                        Client,  NonRetryableClientError),
            Self::TooLong      => ('X', "too_long",      false, never, true,  false, Provider, None,                        Client,  NonRetryableClientError),
            Self::Filtered     => ('F', "filtered",      false, never, true,  false, Provider, None,                        Client,  NonRetryableClientError),
            Self::ForeignState => ('A', "foreign_state", false, never, true,  false, Provider, None,                        Client,  NonRetryableClientError),
            Self::NoModel      => ('N', "no_model",      true,  never, true,  false, Model,    Some(Cooling::NO_MODEL),     Client,  ProviderError),
            Self::Credential   => ('K', "credential",    true,  never, false, false, Provider, Some(Cooling::CREDENTIAL),   Server,  CredentialError),
            Self::Billing      => ('B', "billing",       true,  never, false, false, Provider, Some(Cooling::BILLING),      Billing, BillingError),
            Self::RateLimited  => ('R', "rate_limited",  true,  never, true,  false, Model,    Some(Cooling::RATE_LIMITED), Server,  ProviderError),
            Self::Overloaded   => ('O', "overloaded",    true,  SOON,  true,  false, Model,    Some(Cooling::OVERLOADED),   Server,  ProviderError),
            Self::Transient    => ('T', "transient",     true,  SOON,  true,  true,  Provider, None,                        Server,  ProviderError),
            Self::Interrupted  => ('M', "interrupted",   false, never, true,  true,  Provider, None,                        Network, SystemError),
            Self::Unrecognised => ('U', "unrecognised",  true,  never, false, false, Provider, None,                        Server,  ProviderError),
        };
        Behaviour { letter, name, next, repeat, shown, breaker, scope, cooling, category, error_class }
    }

    /// As the specification writes it; `U` for what it writes as a dash.
    pub fn letter(self) -> char {
        self.behaviour().letter
    }

    pub fn as_str(self) -> &'static str {
        self.behaviour().name
    }

    /// Whether another provider is asked.
    pub fn tries_next(self) -> bool {
        self.behaviour().next
    }

    pub fn repeats(self) -> Repeat {
        self.behaviour().repeat
    }

    /// Whether the provider's own words may go to the caller.
    pub fn may_be_shown(self) -> bool {
        self.behaviour().shown
    }

    pub fn counts_for_breaker(self) -> bool {
        self.behaviour().breaker
    }

    /// What its state is about, unless the row says otherwise.
    pub fn scope(self) -> Scope {
        self.behaviour().scope
    }

    /// For how long something is set aside when nothing is stated.
    pub fn cooling(self) -> Option<Cooling> {
        self.behaviour().cooling
    }

    pub fn category(self) -> Category {
        self.behaviour().category
    }

    pub fn error_class(self) -> ErrorClass {
        self.behaviour().error_class
    }

    /// Its letter or its name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| {
            let mut letter = [0; 4];
            text.eq_ignore_ascii_case(class.as_str())
                || text.eq_ignore_ascii_case(class.letter().encode_utf8(&mut letter))
        })
    }
}

impl Category {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Network => "network",
            Self::Billing => "billing",
        }
    }
}

impl ErrorClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientAbort => "CLIENT_ABORT",
            Self::NonRetryableClientError => "NON_RETRYABLE_CLIENT_ERROR",
            Self::ProviderError => "PROVIDER_ERROR",
            Self::SystemError => "SYSTEM_ERROR",
            Self::CredentialError => "CREDENTIAL_ERROR",
            Self::BillingError => "BILLING_ERROR",
            Self::PolicyRejection => "POLICY_REJECTION",
        }
    }
}
