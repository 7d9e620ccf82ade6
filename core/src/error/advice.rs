//! Why a caller gets one of our errors, and what an operator does about it. `penstock explain` tells it.

use super::Code;

/// What to know of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// How it comes about.
    pub cause: &'static str,
    /// What to do; commands stand in backquotes.
    pub fix: &'static str,
}

impl Advice {
    pub const fn new(cause: &'static str, fix: &'static str) -> Self {
        Self { cause, fix }
    }
}

impl Code {
    /// What the gateway does with such a call, beside answering so.
    pub fn action(self) -> &'static str {
        match self {
            Self::RateLimitExceeded | Self::QuotaExceeded => {
                "Refuses the call at once and asks no provider; `retry-after` says when it may come again."
            }
            Self::UpstreamError | Self::RequestTimeout => {
                "Has asked every provider that could serve the call, and none gave a usable answer."
            }
            Self::NoAvailableAccount | Self::TokenRefreshFailed => {
                "Asks no provider now; `retry-after` says when the first may be back."
            }
            Self::Overloaded => "Takes no new call until others have ended; calls in flight go on.",
            Self::InternalError => "Ends this call alone; what it used is in the ledger.",
            Self::InvalidRequest
            | Self::SensitiveContent
            | Self::AuthenticationFailed
            | Self::ModelNotAllowed
            | Self::ClientNotAllowed
            | Self::AddressNotAllowed
            | Self::DialectNotAllowed
            | Self::ModelNotFound
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::UpgradeRequired
            | Self::BodyTimeout
            | Self::RequestTooLarge
            | Self::UnsupportedEncoding
            | Self::StrictBudgetUnbounded
            | Self::ModelUnpriced
            | Self::LimitsUnavailable => "Refuses the call at once and asks no provider.",
        }
    }

    /// Cause and fix.
    #[rustfmt::skip]
    pub fn advice(self) -> Advice {
        let (cause, fix) = match self {
            Self::InvalidRequest => ("The request cannot be read: broken JSON, no model, a bad encoding, or two different keys.",
                "The message says what and where; correct the client."),
            Self::SensitiveContent => ("A word rule of the operator forbids a text of the request.",
                "Take the text out, or see `penstock word-rule list` and change the rule."),
            Self::AuthenticationFailed => ("The key is unknown, disabled or over, or so is its user. The message says which of it.",
                "`penstock key find --secret -` says whose key it is and whether it is let in; then `penstock key enable`, `penstock key update --expires`, or a new key."),
            Self::ModelNotAllowed => ("The model rules of the key or its user do not let it use this model.",
                "`penstock key get` and `penstock user get` show the rules; change them with `penstock key update KEY --allowed-model … --blocked-model …`."),
            Self::ClientNotAllowed => ("The program that calls is not among those that the key or its user may use.",
                "`penstock key get` and `penstock user get` show the clients that are let in; change them with `update`."),
            Self::AddressNotAllowed => ("The call came from an address that the key or its user may not call from; behind a proxy perhaps the proxy's own.",
                "`penstock key get` shows the addresses; behind a reverse proxy name it to the data planes with `--trusted-proxy`."),
            Self::DialectNotAllowed => ("The key or its user may not use this client API.",
                "`penstock key get` and `penstock user get` show the dialects; change them with `penstock key update KEY --allowed-dialect …`."),
            Self::ModelNotFound => ("No enabled provider serves this model at all.",
                "`penstock route --key KEY --model MODEL` says what speaks against each provider; add the model with `penstock provider update --model`, or a substitute with `penstock setting set model_fallbacks`."),
            Self::NotFound => ("The path is none of the APIs that are served here.",
                "Correct the client's base URL; the README lists the paths."),
            Self::MethodNotAllowed => ("The path exists, but not with this method.", "Correct the client: calls to models are POST."),
            Self::UpgradeRequired => ("A WebSocket was asked for; calls are served over HTTP.",
                "Nothing: clients that can do both go on over HTTP at once. Else switch WebSockets off in the client."),
            Self::BodyTimeout => ("The request's body came too slowly or not to its end.",
                "Look at the caller's network and at proxies on the way; a proxy that buffers must pass bodies on."),
            Self::RequestTooLarge => ("The request's body is larger than data planes take, also after decompression.",
                "Make the request smaller, or raise `--max-body-bytes` of the data planes."),
            Self::UnsupportedEncoding => ("The body has a content-encoding that is not read.", "Let the client send plain bodies, or gzip, deflate, br or zstd."),
            Self::StrictBudgetUnbounded => ("A strict budget must know the most that a call can cost, and this call has no bound.",
                "Let the client send a maximum of tokens (`max_tokens`), or set the budget to `--budget soft`."),
            Self::RateLimitExceeded => ("A limit of requests, tokens, sessions or calls at once of the key or its user is used up; or keys were guessed from this address.",
                "`penstock limits show --key KEY` says which and until when; raise it with `penstock key update --rpm` or wait."),
            Self::QuotaExceeded => ("A budget of money of the key or its user is used up.",
                "`penstock limits show --key KEY` says which and when it begins anew; raise it with `update`, or `penstock limits reset --key KEY`."),
            Self::InternalError => ("A fault of the gateway itself.",
                "Look for the call's id with `penstock logs show ID`, and report it with `penstock diagnose`."),
            Self::UpstreamError => ("No provider gave a usable answer: refused, reset, a bad certificate, a wrong base URL.",
                "`penstock explain REQUEST_ID` lists each attempt; `penstock provider test --all` tries each provider."),
            Self::NoAvailableAccount => ("Providers serve the model, but none can take the call now: breakers are open, providers are cooling down, full, disabled, without a credential, or outside their hours.",
                "`penstock route --key KEY --model MODEL` says what speaks against each; `penstock breaker list` shows what is set aside, `penstock provider reset P` ends it."),
            Self::ModelUnpriced => ("The model has no price, and the setting `unpriced` says that such calls are refused.",
                "`penstock price create --name MODEL --rate input=… --rate output=…`, `penstock price import`, or `penstock setting set unpriced free`."),
            Self::TokenRefreshFailed => ("The only providers left need a new access token, and none could be obtained.",
                "`penstock oauth status` says why, `penstock oauth test P` goes through it step by step, `penstock oauth login P` logs in anew."),
            Self::LimitsUnavailable => ("Redis does not answer, and the policy for that is to let nobody in.",
                "Bring Redis back; until then `penstock setting set limits --degraded local` lets each data plane count its share."),
            Self::Overloaded => ("This data plane has as many calls as it may hold, or its spool of usage is full.",
                "`penstock node list` shows load and spool; add data planes, raise `--max-connections` and `--max-bodies-bytes`, or bring the control plane back so that the spool empties."),
            Self::RequestTimeout => ("Every provider that was asked took longer than its timeouts.",
                "`penstock explain REQUEST_ID` shows where the time went; raise `penstock provider update --timeout-first-byte` or `--timeout-total`."),
        };
        Advice::new(cause, fix)
    }
}
