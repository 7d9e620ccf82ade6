//! The dry run, as the wire asks for it.

use penstock_core::dialect::Dialect;
use penstock_core::invalid::Invalid;
use penstock_proto::convert::verdict_to_wire;
use penstock_proto::sync::v1 as wire;

use crate::app::App;
use crate::proxy::{self, ModelPlan, Plan, ProviderPlan, Question};

pub(super) async fn plan(app: &App, question: wire::PlanRoute) -> Result<wire::RoutePlan, String> {
    let question = read(question).map_err(|error| error.to_string())?;
    let planned = proxy::plan(app, &question).await;
    planned.map(to_wire).map_err(|error| error.to_string())
}

fn read(question: wire::PlanRoute) -> Result<Question, Invalid> {
    let not_an_id = |field| move |_| Invalid::new(field, "is not an id");
    let dialect = Dialect::ALL
        .into_iter()
        .find(|dialect| dialect.as_str() == question.dialect)
        .ok_or_else(|| Invalid::new("plan_route.dialect", "is none that this data plane speaks"))?;
    let given = |text: String| (!text.is_empty()).then_some(text);
    let key = given(question.key_id).map(|id| id.parse()).transpose();
    Ok(Question {
        user: question
            .user_id
            .parse()
            .map_err(not_an_id("plan_route.user_id"))?,
        key: key.map_err(not_an_id("plan_route.key_id"))?,
        dialect,
        model: question.model,
        session: given(question.session),
    })
}

fn to_wire(plan: Plan) -> wire::RoutePlan {
    let (code, message) = plan
        .refusal
        .map(|error| (error.code.entry().text.to_owned(), error.message))
        .unwrap_or_default();
    let model = |model: ModelPlan| wire::ModelPlan {
        model: model.model,
        providers: model.providers.into_iter().map(provider).collect(),
    };
    wire::RoutePlan {
        revision: plan.revision,
        code,
        message,
        bound_provider_id: plan.bound.map(|id| id.to_string()).unwrap_or_default(),
        models: plan.models.into_iter().map(model).collect(),
    }
}

fn provider(provider: ProviderPlan) -> wire::ProviderPlan {
    wire::ProviderPlan {
        provider_id: provider.id.to_string(),
        verdict: Some(verdict_to_wire(provider.verdict)),
        share_millionths: provider.share,
        room_thousandths: provider.room,
        half_open: provider.half_open,
        model_sent: provider.model_sent,
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::id::UserId;

    use super::*;

    #[test]
    fn b12_a_question_names_a_user_a_known_dialect_and_a_model() {
        let user = UserId::from_parts(1, &[1; 10]);
        let mut question = wire::PlanRoute {
            user_id: user.to_string(),
            dialect: "anthropic".to_owned(),
            model: "m".to_owned(),
            ..wire::PlanRoute::default()
        };
        let asked = read(question.clone()).unwrap();
        assert_eq!((asked.user, asked.key, asked.session), (user, None, None));
        question.dialect = "gopher".to_owned();
        assert_eq!(read(question.clone()).unwrap_err().field, "plan_route.dialect");
        question.dialect = "openai-chat".to_owned();
        question.key_id = "laptop".to_owned();
        assert_eq!(read(question).unwrap_err().field, "plan_route.key_id");
    }
}
