//! Imports from other gateways: what is made, and what is refused alone (behaviour A3).

use futures::stream;
use penstock_proto::admin::v1::import_item::Resource;
use penstock_proto::admin::v1::import_resources_request::Part;

use super::*;

const SHIPPED: &str = "claude-opus-4-8";

fn a_user(tag: &str) -> Resource {
    let mut spec = user("ann");
    spec.access.as_mut().unwrap().tags.push(tag.to_owned());
    Resource::User(wire::CreateUserRequest {
        spec: Some(spec),
        change: None,
    })
}

fn a_provider(weight: u32) -> Resource {
    let spec = config::ProviderSpec {
        weight,
        ..provider("main")
    };
    Resource::Provider(Box::new(wire::CreateProviderRequest {
        spec: Some(spec),
        ..wire::CreateProviderRequest::default()
    }))
}

fn a_price(name: &str, pico_usd: u64) -> Resource {
    let rate = |class: config::TokenClass| config::Rate {
        token_class: class.into(),
        tier: config::ServiceTier::Standard.into(),
        above_tokens: 0,
        pico_usd,
    };
    Resource::Price(wire::CreatePriceRequest {
        name: name.into(),
        spec: Some(config::Price {
            platform: "anthropic".into(),
            rates: vec![rate(config::TokenClass::Input), rate(config::TokenClass::Output)],
            ..config::Price::default()
        }),
        change: None,
    })
}

fn an_error_rule(text: &str) -> Resource {
    Resource::ErrorRule(wire::CreateErrorRuleRequest {
        name: "house".into(),
        spec: Some(config::ErrorRule {
            enabled: true,
            pattern: Some(config::ErrorPattern {
                field: config::ErrorField::Any.into(),
                text: Some(config::error_pattern::Text::Contains(text.into())),
            }),
            class: config::FailureClass::Caller.into(),
            ..config::ErrorRule::default()
        }),
        change: None,
    })
}

fn a_word_rule(text: &str) -> Resource {
    Resource::WordRule(wire::CreateWordRuleRequest {
        name: "projects".into(),
        spec: Some(config::WordRule {
            enabled: true,
            matching: config::WordMatching::Contains.into(),
            texts: vec![text.to_owned()],
        }),
        change: None,
    })
}

fn a_filter(value: &str) -> Resource {
    Resource::RequestFilter(wire::CreateRequestFilterRequest {
        name: "tag".into(),
        spec: Some(config::RequestFilter {
            enabled: true,
            priority: 5,
            provider: None,
            part: Some(config::request_filter::Part::Header("x-tag".into())),
            action: Some(config::request_filter::Action::Set(value.into())),
        }),
        change: None,
    })
}

async fn import(
    operator: &Operator,
    resources: Vec<Resource>,
    dry_run: bool,
) -> wire::ImportResourcesResponse {
    let begin = Part::Begin(wire::ImportBegin {
        dry_run,
        change: reason("a test"),
    });
    let items = resources.into_iter().map(|resource| {
        Part::Item(Box::new(wire::ImportItem {
            source: "there".into(),
            resource: Some(resource),
        }))
    });
    let messages: Vec<_> = std::iter::once(begin)
        .chain(items)
        .map(|part| wire::ImportResourcesRequest { part: Some(part) })
        .collect();
    let answer = operator
        .import_service()
        .import_resources(stream::iter(messages))
        .await;
    answer.unwrap().into_inner()
}

fn outcomes(answer: &wire::ImportResourcesResponse) -> Vec<wire::ImportOutcome> {
    answer.items.iter().map(wire::ImportedItem::outcome).collect()
}

#[tokio::test]
async fn a03_two_of_one_name_in_one_import_are_one_or_the_second_is_refused_alone() {
    let operator = Operator::start().await;
    let makers: [fn(bool) -> Resource; 7] = [
        |first| a_user(if first { "a" } else { "b" }),
        |first| a_provider(if first { 1 } else { 2 }),
        |first| a_price("house-model", if first { 1 } else { 2 }),
        |first| a_price(SHIPPED, if first { 1 } else { 2 }),
        |first| an_error_rule(if first { "a" } else { "b" }),
        |first| a_word_rule(if first { "a" } else { "b" }),
        |first| a_filter(if first { "a" } else { "b" }),
    ];
    let resources = || {
        let three = |make: fn(bool) -> Resource| [make(true), make(true), make(false)];
        makers.into_iter().flat_map(three).collect::<Vec<_>>()
    };
    let before = operator.head().await;
    let dry = import(&operator, resources(), true).await;
    assert_eq!(operator.head().await, before, "a dry run makes nothing");
    let made = import(&operator, resources(), false).await;
    assert_eq!(made.revision, before + 1, "one commit");
    assert_eq!(outcomes(&dry), outcomes(&made), "a dry run promises what is made");
    for three in made.items.chunks(3) {
        let of: Vec<_> = three.iter().map(wire::ImportedItem::outcome).collect();
        let expected = [
            wire::ImportOutcome::Created,
            wire::ImportOutcome::Unchanged,
            wire::ImportOutcome::Refused,
        ];
        assert_eq!(of, expected, "{three:?}");
        let why = &three[2].detail;
        assert!(
            why.contains("an earlier item of this import has its name"),
            "{why}"
        );
    }
    let request = wire::GetWordRuleRequest {
        name: "projects".into(),
    };
    let rule = operator.word_rule_service().get_word_rule(request).await.unwrap();
    let spec = rule.into_inner().word_rule.unwrap().spec.unwrap();
    assert_eq!(spec.texts, ["a"], "the first is what was made");
}

#[tokio::test]
async fn a03_what_was_there_before_an_import_is_kept_however_often_it_is_named() {
    let operator = Operator::start().await;
    import(&operator, vec![a_word_rule("a")], false).await;
    let head = operator.head().await;
    let again = vec![a_word_rule("b"), a_word_rule("b"), a_word_rule("a")];
    let again = import(&operator, again, false).await;
    let expected = [
        wire::ImportOutcome::Kept,
        wire::ImportOutcome::Kept,
        wire::ImportOutcome::Unchanged,
    ];
    assert_eq!(outcomes(&again), expected);
    assert_eq!(again.revision, head, "nothing was made");
}
