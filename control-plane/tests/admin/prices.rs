//! Prices: shipped and manual ones, and which one a call pays.

use super::*;

const MODEL: &str = "claude-opus-4-8";

fn price(input: u64) -> config::Price {
    let rate = |class: config::TokenClass, pico_usd| config::Rate {
        token_class: class.into(),
        tier: config::ServiceTier::Standard.into(),
        above_tokens: 0,
        pico_usd,
    };
    config::Price {
        platform: "anthropic".into(),
        rates: vec![
            rate(config::TokenClass::Input, input),
            rate(config::TokenClass::Output, 9),
        ],
        ..config::Price::default()
    }
}

fn create(name: &str, input: u64) -> wire::CreatePriceRequest {
    wire::CreatePriceRequest {
        name: name.into(),
        spec: Some(price(input)),
        change: None,
    }
}

async fn get(operator: &Operator, name: &str) -> Result<wire::Price, Status> {
    let request = wire::GetPriceRequest { name: name.into() };
    Ok(operator
        .price_service()
        .get_price(request)
        .await?
        .into_inner()
        .price
        .unwrap())
}

fn source(price: &wire::Price) -> config::PriceSource {
    price.spec.as_ref().unwrap().source()
}

#[tokio::test]
async fn e04_a_manual_price_replaces_the_shipped_one() {
    let operator = Operator::start().await;
    let shipped = get(&operator, MODEL).await.unwrap();
    assert_eq!(source(&shipped), config::PriceSource::Shipped);
    let made = operator
        .price_service()
        .create_price(create(MODEL, 7))
        .await
        .unwrap()
        .into_inner();
    let made = made.price.unwrap();
    assert_eq!(
        (source(&made), made.version),
        (config::PriceSource::Manual, shipped.version + 1)
    );
    let again = operator.price_service().create_price(create(MODEL, 8)).await;
    refused(again, Code::AlreadyExists);
}

#[tokio::test]
async fn e04_an_updated_price_is_manual() {
    let operator = Operator::start().await;
    let shipped = get(&operator, MODEL).await.unwrap();
    let update = |expected_version| wire::UpdatePriceRequest {
        name: MODEL.into(),
        expected_version,
        spec: shipped.spec.clone(),
        change: None,
        update_mask: None,
    };
    operator
        .price_service()
        .update_price(update(shipped.version))
        .await
        .unwrap();
    assert_eq!(
        source(&get(&operator, MODEL).await.unwrap()),
        config::PriceSource::Manual
    );
    refused(
        operator
            .price_service()
            .update_price(update(shipped.version))
            .await,
        Code::Aborted,
    );
}

#[tokio::test]
async fn e04_resolving_names_the_row_and_the_rule() {
    let operator = Operator::start().await;
    operator.create_provider("main", None).await;
    let resolve = async |model: &str| {
        let request = wire::ResolvePriceRequest {
            model: model.into(),
            provider: "main".into(),
        };
        operator
            .price_service()
            .resolve_price(request)
            .await
            .unwrap()
            .into_inner()
    };
    let exact = resolve(MODEL).await;
    assert_eq!(exact.price.unwrap().name, MODEL);
    assert!(exact.rule.starts_with("exact"), "{}", exact.rule);
    operator
        .price_service()
        .create_price(create("main/claude-opus-4-8", 7))
        .await
        .unwrap();
    let own = resolve(MODEL).await;
    assert_eq!(own.price.unwrap().name, "main/claude-opus-4-8");
    assert!(own.rule.starts_with("provider"), "{}", own.rule);
    let none = resolve("a-model-nobody-knows").await;
    assert!(
        none.price.is_none() && none.rule.contains("charge_default"),
        "{}",
        none.rule
    );
}

#[tokio::test]
async fn prices_are_listed_by_source_and_by_a_part_of_their_name() {
    let operator = Operator::start().await;
    operator
        .price_service()
        .create_price(create("my-model", 7))
        .await
        .unwrap();
    let list = async |contains: &str, source: config::PriceSource| {
        let request = wire::ListPricesRequest {
            page: None,
            contains: contains.into(),
            source: source.into(),
        };
        let answer = operator
            .price_service()
            .list_prices(request)
            .await
            .unwrap()
            .into_inner();
        answer
            .prices
            .into_iter()
            .map(|price| price.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(list("", config::PriceSource::Manual).await, ["my-model"]);
    assert_eq!(
        list("y-mod", config::PriceSource::Unspecified).await,
        ["my-model"]
    );
    assert!(
        list("opus", config::PriceSource::Shipped)
            .await
            .iter()
            .any(|name| name == MODEL)
    );
}

#[tokio::test]
async fn deleting_a_price_needs_its_name() {
    let operator = Operator::start().await;
    operator
        .price_service()
        .create_price(create("my-model", 7))
        .await
        .unwrap();
    let delete = || wire::DeletePriceRequest {
        name: "my-model".into(),
        expected_version: 0,
        change: None,
    };
    operator.price_service().delete_price(delete()).await.unwrap();
    let answer = operator.price_service().delete_price(delete()).await;
    assert_eq!(
        refused(answer, Code::NotFound),
        "price \"my-model\" does not exist"
    );
}

#[tokio::test]
async fn e04_deleting_an_override_brings_the_shipped_price_back_at_once() {
    let operator = Operator::start().await;
    let before = get(&operator, MODEL).await.unwrap();
    let delete = || wire::DeletePriceRequest {
        name: MODEL.into(),
        expected_version: 0,
        change: None,
    };
    let answer = operator.price_service().delete_price(delete()).await;
    let problem = refused(answer, Code::FailedPrecondition);
    assert!(problem.contains("price create"), "{problem}");
    let manual = operator.price_service().create_price(create(MODEL, 7)).await;
    manual.unwrap();
    operator.price_service().delete_price(delete()).await.unwrap();
    let after = get(&operator, MODEL).await.unwrap();
    assert_eq!((source(&after), after.version), (config::PriceSource::Shipped, 3));
    assert_eq!(after.spec, before.spec);
}

#[tokio::test]
async fn e04_a_comparison_promises_nothing_that_the_import_would_refuse() {
    let operator = Operator::start().await;
    let entry = r#"{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1e-6,"output_cost_per_token":1e-6}"#;
    let entries: Vec<_> = (0..50_001).map(|n| format!("\"m{n}\":{entry}")).collect();
    let request = wire::ImportPricesRequest {
        source: Some(wire::import_prices_request::Source::File(
            format!("{{{}}}", entries.join(",")).into(),
        )),
        keep_missing: true,
        ..wire::ImportPricesRequest::default()
    };
    let refused = operator.price_service().import_prices(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    let problem = refused.message();
    assert!(problem.contains("would change 50001 prices"), "{problem}");
}
