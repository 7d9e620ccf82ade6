//! Request filters: made, changed, refused (behaviour G12).

use config::request_filter::{Action, Part};

use super::*;

fn spec(part: Part, action: Action) -> config::RequestFilter {
    config::RequestFilter {
        enabled: true,
        priority: 5,
        provider: None,
        part: Some(part),
        action: Some(action),
    }
}

fn create(name: &str, spec: config::RequestFilter) -> wire::CreateRequestFilterRequest {
    wire::CreateRequestFilterRequest {
        name: name.into(),
        spec: Some(spec),
        change: None,
    }
}

fn removal() -> Action {
    Action::Remove(config::Removal {})
}

#[tokio::test]
async fn g12_a_filter_is_made_changed_listed_and_deleted() {
    let operator = Operator::start().await;
    let mut service = operator.request_filter_service();
    let first = create("tag", spec(Part::Header("x-tag".into()), Action::Set("a".into())));
    service.create_request_filter(first).await.unwrap();
    let update = wire::UpdateRequestFilterRequest {
        name: "tag".into(),
        expected_version: 1,
        spec: Some(spec(Part::Body("metadata.user_id".into()), removal())),
        change: None,
        update_mask: None,
    };
    let answer = service.update_request_filter(update).await.unwrap().into_inner();
    assert_eq!(answer.request_filter.unwrap().version, 2);
    let request = wire::ListRequestFiltersRequest { page: None };
    let listed = service.list_request_filters(request).await.unwrap().into_inner();
    let listed = listed.request_filters[0].spec.clone().unwrap();
    assert_eq!(listed, spec(Part::Body("metadata.user_id".into()), removal()));
    let delete = wire::DeleteRequestFilterRequest {
        name: "tag".into(),
        expected_version: 2,
        change: None,
    };
    service.delete_request_filter(delete).await.unwrap();
}

#[tokio::test]
async fn g12_a_filter_that_would_break_calls_is_refused_with_its_place() {
    let operator = Operator::start().await;
    let mut service = operator.request_filter_service();
    for (filter, place) in [
        (
            spec(Part::Header("authorization".into()), removal()),
            "spec.header: ",
        ),
        (spec(Part::Body("model".into()), removal()), "spec.body: "),
        (spec(Part::Body("a..b".into()), removal()), "spec.body: "),
        (
            spec(Part::Body("a".into()), Action::Set("{".into())),
            "spec.set: ",
        ),
    ] {
        let answer = service.create_request_filter(create("f", filter)).await;
        let words = refused(answer, Code::InvalidArgument);
        assert!(words.starts_with(place), "{place}: {words}");
    }
    let empty = config::RequestFilter {
        part: None,
        ..spec(Part::Body("a".into()), removal())
    };
    refused(
        service.create_request_filter(create("f", empty)).await,
        Code::InvalidArgument,
    );
}

#[tokio::test]
async fn g12_a_filter_names_a_provider_that_exists_and_keeps_its_name() {
    let operator = Operator::start().await;
    let mut service = operator.request_filter_service();
    let of = |provider: &str| config::RequestFilter {
        provider: Some(provider.into()),
        ..spec(Part::Body("a".into()), removal())
    };
    let answer = service.create_request_filter(create("f", of("nope"))).await;
    let words = refused(answer, Code::InvalidArgument);
    assert_eq!(words, "spec.provider: \"nope\" is no provider's name");
    let main = operator.create_provider("main", None).await;
    service
        .create_request_filter(create("f", of("main")))
        .await
        .unwrap();
    let renamed = operator
        .update_provider(&main, |spec| spec.name = "other".into())
        .await
        .unwrap_err();
    assert_eq!(renamed.code(), Code::FailedPrecondition);
    assert!(renamed.message().contains("request filter \"f\""), "{renamed}");
    let delete = wire::DeleteRequestFilterRequest {
        name: "f".into(),
        expected_version: 0,
        change: None,
    };
    service.delete_request_filter(delete).await.unwrap();
    operator
        .update_provider(&main, |spec| spec.name = "other".into())
        .await
        .unwrap();
}
