//! `penstock explain`: one call, which the control plane knows, or an error, which needs nobody.
//!
//! Ids are told from codes and texts by their form.

use penstock_core::explain;
use penstock_core::id::RequestId;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::limit_subject::Subject;

use super::session::Session;
use crate::failure::Failure;
use crate::remote::Services;
use crate::view::{self, LimitsNow};

#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The call's id, as its answer carries it in x-penstock-request-id; or an error: 529, `NO_AVAILABLE_ACCOUNT`, "Extra
    /// inputs are not permitted"
    #[arg(value_name = "REQUEST-ID|CODE|TEXT", required = true, num_args = 1..)]
    what: Vec<String>,
}

impl Explain {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let what = self.what.join(" ");
        match what.trim().parse::<RequestId>() {
            Ok(id) => of_call(session, id).await,
            Err(_) => session.print(&of_error(&what)?),
        }
    }
}

async fn of_call(session: &Session, id: RequestId) -> Result<(), Failure> {
    let services = session.connect().await?;
    let request = wire::GetCallRequest { id: id.to_string() };
    let call = services.usage().get_call(request).await?.into_inner();
    let key = call.record.as_ref().map(|record| record.key_id.clone());
    let limits = limits(&services, key.unwrap_or_default()).await;
    session.print(&view::Receipt::read(call, limits)?)
}

fn of_error(what: &str) -> Result<view::Explained, Failure> {
    let found = explain::explain(what);
    if found.is_empty() {
        return Err(unknown(what));
    }
    Ok(view::Explained::new(what, found))
}

/// What is left now. That it cannot be read is told in the receipt and is no failure of it.
async fn limits(services: &Services, key: String) -> LimitsNow {
    let request = wire::ShowLimitsRequest {
        subject: Some(wire::LimitSubject {
            subject: Some(Subject::Key(key)),
        }),
    };
    let answer = services.limits().show_limits(request).await;
    let read = answer
        .map_err(Failure::from)
        .and_then(|answer| view::LimitsUsed::read(answer.into_inner()));
    match read {
        Ok(limits) => LimitsNow::Read(limits),
        Err(failure) => LimitsNow::Unknown {
            problem: failure.to_string(),
        },
    }
}

fn unknown(what: &str) -> Failure {
    let nearest = explain::nearest(what);
    let guess = if nearest.is_empty() {
        "It is neither the id of a call (x-penstock-request-id) nor a code, a status or a text of an error."
            .to_owned()
    } else {
        format!("Did you mean: {}?", nearest.join("; "))
    };
    Failure::Input(format!(
        "nothing is known of {what:?}\n{guess} `penstock logs --grep TEXT` finds the calls that met it; `penstock error-rule \
         test` says how a provider's answer would be taken."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::View;

    #[test]
    fn g06_what_is_unknown_has_neighbours_and_where_to_look() {
        let failure = unknown("NO_AVAILABLE_ACOUNT");
        assert_eq!(failure.exit_code(), 1);
        let text = failure.to_string();
        assert!(text.contains("Did you mean: NO_AVAILABLE_ACCOUNT"), "{text}");
        let text = unknown("qqqq").to_string();
        assert!(
            text.contains("x-penstock-request-id") && text.contains("logs --grep"),
            "{text}"
        );
    }

    #[test]
    fn g06_an_error_is_explained_with_cause_and_fix() {
        let text = of_error("529").ok().unwrap().table();
        for part in ["529", "why:", "Penstock:", "do:", "overloaded"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
