//! What operators see of calls besides logs: metrics as they are specified, traces at their collector.

use anyhow::{Context, Result};
use penstock_metrics::specification;
use penstock_tests::{Collector, Stack, anthropic_body, client, until};

use crate::up_runs_all_on_one_machine::Up;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Names in a scrape that docs/metrics.md does not have.
async fn undocumented(url: &str) -> Result<Vec<String>> {
    let scrape = client().get(url).send().await?.text().await?;
    let samples: Vec<_> = scrape.lines().filter(|line| !line.starts_with('#')).collect();
    anyhow::ensure!(samples.len() > 10, "a scrape: {scrape}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let page = std::fs::read_to_string(page)?;
    Ok(specification::unknown(&page, &samples.join("\n"))
        .into_iter()
        .collect())
}

#[tokio::test]
async fn g07_a_fleet_shows_what_is_specified_and_exports_a_call_below_its_callers_span() -> Result<()> {
    let collector = Collector::start().await?;
    let flags = ["--otlp-endpoint", &collector.url];
    let stack = Stack::builder().data_plane_flags(&flags).start().await?;
    let key = stack.prepare()?;
    let set = ["setting", "set", "observability", "--metrics-of-keys", "5"];
    stack
        .cli(0)
        .run(&[&set[..], &["--trace-to-providers"]].concat())?;
    stack.synced().await?;
    let answer = client()
        .post(format!("{}/v1/messages", stack.data[0].url))
        .header("x-api-key", &key)
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
        .json(&anthropic_body("hello", false))
        .send()
        .await?;
    assert_eq!(answer.status(), 200);
    answer.text().await?;
    let spans = until("the spans arrive", || async {
        let spans = collector.spans();
        Ok((spans.len() >= 2).then_some(spans))
    })
    .await?;
    assert!(
        spans.iter().all(|span| hex::encode(&span.trace_id) == TRACE),
        "{spans:?}"
    );
    let requests = stack.fake.requests();
    let told = requests.last().and_then(|request| request.header("traceparent"));
    assert!(told.context("the provider is told the trace")?.contains(TRACE));

    for node in [&stack.data[0], &stack.control[0]] {
        let url = format!("{}/metrics", node.admin_url);
        assert_eq!(undocumented(&url).await?, Vec::<String>::new(), "{url}");
    }
    let url = format!("{}/metrics", stack.data[0].admin_url);
    let scrape = client().get(url).send().await?.text().await?;
    assert!(scrape.contains("penstock_key_requests_total{key_id="), "{scrape}");
    Ok(())
}

#[tokio::test]
async fn g07_up_exports_too() -> Result<()> {
    let collector = Collector::start().await?;
    let flags = ["--demo", "--otlp-endpoint", &collector.url, "--otlp-sample", "1"];
    let up = Up::start(&flags).await?;
    until("the printed call is answered", || async {
        let answer = crate::up_runs_all_on_one_machine::paste_curl(&up.printed(), up.folder.path());
        Ok(answer.ok())
    })
    .await?;
    until("the spans arrive", || async {
        Ok((collector.spans().len() >= 2).then_some(()))
    })
    .await
}
