//! `penstock explain`.

use penstock_core::id::RequestId;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::limit_subject::Subject;

use super::session::Session;
use crate::failure::Failure;
use crate::remote::Services;
use crate::view::{self, LimitsNow};

#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The call's id, as its answer carries it in x-penstock-request-id
    #[arg(value_name = "REQUEST-ID")]
    what: String,
}

impl Explain {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let id: RequestId = self.what.trim().parse().map_err(|_| not_an_id(&self.what))?;
        let services = session.connect().await?;
        let request = wire::GetCallRequest { id: id.to_string() };
        let call = services.usage().get_call(request).await?.into_inner();
        let key = call.record.as_ref().map(|record| record.key_id.clone());
        let limits = limits(&services, key.unwrap_or_default()).await;
        session.print(&view::Receipt::read(call, limits)?)
    }
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

fn not_an_id(text: &str) -> Failure {
    Failure::Input(format!(
        "{text:?} is not the id of a call\nIts answer carries it in the header x-penstock-request-id, `penstock usage \
         records` lists ids. Explaining codes and texts of errors comes with a later release."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_refused_with_where_ids_are() {
        let failure = not_an_id("OVERLOADED");
        assert_eq!(failure.exit_code(), 1);
        assert!(failure.to_string().contains("x-penstock-request-id"));
    }
}
