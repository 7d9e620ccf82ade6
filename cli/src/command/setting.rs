//! `penstock setting`.

mod change;
mod limits;
mod logging;
mod notifications;
mod observability;
mod retention;
mod routing;

use clap::{ArgAction, Subcommand};
use penstock_core::price::Rate;
use penstock_core::setting::{Setting, UnpricedAction, UnpricedPolicy};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::session::Session;
use crate::args::choice;
use crate::args::fallback::FallbackArg;
use crate::args::rate::RateArg;
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// All settings
    List,
    /// Set one
    #[command(subcommand)]
    Set(Set),
    /// Back to the default
    Reset {
        /// As `setting list` shows it
        name: String,
        #[command(flatten)]
        reason: Reason,
    },
}

#[derive(Subcommand)]
pub(crate) enum Set {
    /// What happens to a call for a model without a price
    #[command(alias = "unpriced-policy")]
    Unpriced {
        #[arg(value_parser = choice::unpriced_action())]
        action: UnpricedAction,
        /// For `charge_default`: CLASS=USD for a million tokens; repeatable. Without any, the dearest of the platform
        #[arg(long = "rate", value_name = "RATE")]
        rates: Vec<RateArg>,
        #[command(flatten)]
        reason: Reason,
    },
    /// How limits are enforced as a whole; only what is given changes
    Limits {
        #[command(flatten)]
        flags: limits::Flags,
        #[command(flatten)]
        reason: Reason,
    },
    /// How providers are tried; only what is given changes
    Routing {
        #[command(flatten)]
        flags: routing::Flags,
        #[command(flatten)]
        reason: Reason,
    },
    /// How many days records are kept; only what is given changes
    Retention {
        #[command(flatten)]
        flags: retention::Flags,
        #[command(flatten)]
        reason: Reason,
    },
    /// What operators are told of; only what is given changes
    Notifications {
        #[command(flatten)]
        flags: Box<notifications::Flags>,
        #[command(flatten)]
        reason: Reason,
    },
    /// What is logged, by all programs at run time; only what is given changes
    Logging {
        #[command(flatten)]
        flags: logging::Flags,
        #[command(flatten)]
        reason: Reason,
    },
    /// What is observed: metrics of keys, traces to providers; only what is given changes
    Observability {
        #[command(flatten)]
        flags: observability::Flags,
        #[command(flatten)]
        reason: Reason,
    },
    /// What is asked for instead when nobody serves a model; replaces all. `setting reset model_fallbacks`: nothing
    #[command(name = "model_fallbacks", alias = "model-fallbacks")]
    ModelFallbacks {
        /// MODEL=SUBSTITUTE,SUBSTITUTE; MODEL may be a pattern, the first that matches holds
        #[arg(required = true, value_name = "FALLBACK")]
        fallbacks: Vec<FallbackArg>,
        #[command(flatten)]
        reason: Reason,
    },
    /// Whether a refusal for want of a provider tells callers why each one was passed over
    #[command(name = "explain_refusals", alias = "explain-refusals")]
    ExplainRefusals {
        #[arg(action = ArgAction::Set)]
        on: bool,
        #[command(flatten)]
        reason: Reason,
    },
    /// Whether operators of the role user may create, rotate and delete keys of their own
    #[command(name = "self_service", alias = "self-service")]
    SelfService {
        #[arg(action = ArgAction::Set)]
        on: bool,
        #[command(flatten)]
        reason: Reason,
    },
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List => list(session).await,
            Self::Set(set) => set.run(session).await,
            Self::Reset { name, reason } => reset(session, name, &reason).await,
        }
    }
}

impl Set {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let (setting, reason) = match self {
            Self::Unpriced {
                action,
                rates,
                reason,
            } => (unpriced(action, &rates), reason),
            Self::ExplainRefusals { on, reason } => (Setting::ExplainRefusals(on), reason),
            Self::SelfService { on, reason } => (Setting::SelfService(on), reason),
            Self::ModelFallbacks { fallbacks, reason } => {
                let fallbacks = fallbacks.into_iter().map(|FallbackArg(given)| given);
                (Setting::ModelFallbacks(fallbacks.collect()), reason)
            }
            Self::Limits { flags, reason } => return flags.run(session, &reason).await,
            Self::Routing { flags, reason } => return flags.run(session, &reason).await,
            Self::Retention { flags, reason } => return flags.run(session, &reason).await,
            Self::Notifications { flags, reason } => return flags.run(session, &reason).await,
            Self::Logging { flags, reason } => return flags.run(session, &reason).await,
            Self::Observability { flags, reason } => return flags.run(session, &reason).await,
        };
        let request = wire::SetSettingRequest {
            setting: Some(convert::setting_to_wire(&setting)),
            expected_version: 0,
            change: reason.info(),
        };
        let answer = session
            .connect()
            .await?
            .configuration()
            .set_setting(request)
            .await?;
        session.print_done(format!("set {}", setting.name()), answer.into_inner().revision)
    }
}

fn unpriced(action: UnpricedAction, rates: &[RateArg]) -> Setting {
    let default_rates: Vec<Rate> = rates.iter().map(|rate| rate.0).collect();
    Setting::Unpriced(UnpricedPolicy {
        action,
        default_rates,
    })
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let answer = services
        .configuration()
        .list_settings(wire::ListSettingsRequest {})
        .await?;
    session.print_list(answer.into_inner().settings, |entry| {
        view::Setting::read(entry, session.now)
    })
}

async fn reset(session: &Session, name: String, reason: &Reason) -> Result<(), Failure> {
    let request = wire::ResetSettingRequest {
        name: name.clone(),
        change: reason.info(),
    };
    let answer = session
        .connect()
        .await?
        .configuration()
        .reset_setting(request)
        .await?;
    session.print_done(
        format!("{name} has its default again"),
        answer.into_inner().revision,
    )
}
