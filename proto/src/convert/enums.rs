//! Enums. `UNSPECIFIED` and values that this release does not know are refused, except where noted.

use penstock_core::client::KnownClient;
use penstock_core::dialect::Dialect;
use penstock_core::error_rule::ErrorField;
use penstock_core::failure::Class;
use penstock_core::invalid::Invalid;
use penstock_core::limits::{Budget, Dimension, Level};
use penstock_core::operator::Role;
use penstock_core::price::{PriceSource, ServiceTier, TokenClass};
use penstock_core::provider::{AddressFamily, ProviderKind};
use penstock_core::resource::Kind;
use penstock_core::session::SessionSource;
use penstock_core::setting::{Degraded, UnpricedAction};
use penstock_core::usage::Outcome;
use penstock_core::usage::decision::Affinity;
use penstock_core::word_rule::Matching;

use crate::admin::v1 as admin;
use crate::config::v1 as wire;
use crate::telemetry::v1 as telemetry;

macro_rules! enums {
    ($($(#[$doc:meta])* $to:ident, $from:ident: $domain:ident = $wire:path { $($d:ident = $w:ident,)* })*) => {$(
        $(#[$doc])*
        pub fn $to(value: $domain) -> i32 {
            use $wire as Wire;
            let value = match value {
                $($domain::$d => Wire::$w,)*
            };
            value.into()
        }

        $(#[$doc])*
        pub fn $from(field: &str, value: i32) -> Result<$domain, Invalid> {
            use $wire as Wire;
            match Wire::try_from(value) {
                $(Ok(Wire::$w) => Ok($domain::$d),)*
                Ok(Wire::Unspecified) => Err(Invalid::new(field, "is missing")),
                Err(_) => Err(Invalid::new(field, format!("has the value {value}, which this release does not know"))),
            }
        }
    )*};
}

enums! {
    /// What an operator may do.
    operator_role_to_wire, operator_role_from_wire: Role = admin::OperatorRole {
        User = User,
        Viewer = Viewer,
        Operator = Operator,
        Admin = Admin,
    }
    /// Who said the session.
    session_source_to_wire, session_source_from_wire: SessionSource = telemetry::SessionSource {
        ClaudeCodeHeader = ClaudeCodeHeader,
        UserId = UserId,
        CodexHeader = CodexHeader,
        PromptCacheKey = PromptCacheKey,
        Digest = Digest,
    }
    /// What became of a session's binding.
    affinity_to_wire, affinity_from_wire: Affinity = telemetry::Affinity {
        New = New,
        Hit = Hit,
        Moved = Moved,
    }
    /// A resource's kind.
    kind_to_wire, kind_from_wire: Kind = wire::ResourceKind {
        Provider = Provider,
        User = User,
        Key = Key,
        Price = Price,
        Setting = Setting,
        ImportSuffix = ImportSuffix,
        ErrorRule = ErrorRule,
        WordRule = WordRule,
        RequestFilter = RequestFilter,
    }
    /// A provider's kind.
    provider_kind_to_wire, provider_kind_from_wire: ProviderKind = wire::ProviderKind {
        Anthropic = Anthropic,
        Openai = Openai,
        OpenaiCompatible = OpenaiCompatible,
        Gemini = Gemini,
        AzureOpenai = AzureOpenai,
        Bedrock = Bedrock,
        Vertex = Vertex,
        Droid = Droid,
    }
    /// A client API.
    dialect_to_wire, dialect_from_wire: Dialect = wire::Dialect {
        Anthropic = Anthropic,
        OpenaiChat = OpenaiChat,
        OpenaiResponses = OpenaiResponses,
        OpenaiEmbeddings = OpenaiEmbeddings,
        Gemini = Gemini,
    }
    /// Which addresses are dialled.
    address_family_to_wire, address_family_from_wire: AddressFamily = wire::AddressFamily {
        Any = Any,
        Ipv4 = Ipv4,
    }
    /// A price's origin.
    price_source_to_wire, price_source_from_wire: PriceSource = wire::PriceSource {
        Shipped = Shipped,
        Manual = Manual,
        Imported = Imported,
    }
    /// A class of tokens.
    token_class_to_wire, token_class_from_wire: TokenClass = wire::TokenClass {
        Input = Input,
        Output = Output,
        CacheRead = CacheRead,
        CacheWrite = CacheWrite,
        CacheWrite1h = CacheWrite1h,
        CacheWrite12h = CacheWrite12h,
        Reasoning = Reasoning,
        AudioInput = AudioInput,
        ImageInput = ImageInput,
        AudioOutput = AudioOutput,
        ImageOutput = ImageOutput,
    }
    /// A service tier.
    service_tier_to_wire, service_tier_from_wire: ServiceTier = wire::ServiceTier {
        Standard = Standard,
        Batch = Batch,
        Flex = Flex,
        Priority = Priority,
        Ultrafast = Ultrafast,
    }
    /// What happens to a model without a price.
    unpriced_action_to_wire, unpriced_action_from_wire: UnpricedAction = wire::UnpricedAction {
        Reject = Reject,
        ChargeDefault = ChargeDefault,
        Free = Free,
    }
    /// What is counted.
    dimension_to_wire, dimension_from_wire: Dimension = wire::LimitDimension {
        UsdTotal = UsdTotal,
        ConcurrentSessions = ConcurrentSessions,
        ConcurrentRequests = ConcurrentRequests,
        Rpm = Rpm,
        Tpm = Tpm,
        Usd5h = Usd5h,
        UsdDaily = UsdDaily,
        UsdWeekly = UsdWeekly,
        UsdMonthly = UsdMonthly,
    }
    /// Whose limit.
    level_to_wire, level_from_wire: Level = wire::LimitLevel {
        Key = Key,
        User = User,
        Provider = Provider,
    }
    /// How a budget is held.
    budget_to_wire, budget_from_wire: Budget = wire::BudgetMode {
        Soft = Soft,
        Strict = Strict,
    }
    /// What holds while counters are away.
    degraded_to_wire, degraded_from_wire: Degraded = wire::DegradedLimits {
        Local = Local,
        Open = Open,
        Closed = Closed,
    }
    /// What a failure means.
    failure_class_to_wire, failure_class_from_wire: Class = wire::FailureClass {
        Caller = Caller,
        TooLong = TooLong,
        Filtered = Filtered,
        ForeignState = ForeignState,
        NoModel = NoModel,
        Credential = Credential,
        Billing = Billing,
        RateLimited = RateLimited,
        Overloaded = Overloaded,
        Transient = Transient,
        Interrupted = Interrupted,
        Unrecognised = Unrecognised,
    }
    /// A coding agent.
    known_client_to_wire, known_client_from_wire: KnownClient = wire::KnownClient {
        ClaudeCode = ClaudeCode,
        Codex = Codex,
        GeminiCli = GeminiCli,
    }
    /// Where an error rule looks for its text.
    error_field_to_wire, error_field_from_wire: ErrorField = wire::ErrorField {
        Any = Any,
        Code = Code,
        Type = Type,
        Message = Message,
    }
    /// How the texts of a word rule are looked for.
    word_matching_to_wire, word_matching_from_wire: Matching = wire::WordMatching {
        Exact = Exact,
        Contains = Contains,
        Regex = Regex,
    }
    /// How a call ended.
    outcome_to_wire, outcome_from_wire: Outcome = telemetry::Outcome {
        Succeeded = Succeeded,
        UpstreamError = UpstreamError,
        Interrupted = Interrupted,
        ClientAbort = ClientAbort,
        Rejected = Rejected,
        Failed = Failed,
    }
}
