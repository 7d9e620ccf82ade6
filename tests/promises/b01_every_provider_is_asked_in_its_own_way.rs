//! B1: callers of each dialect are served by each kind of provider, and the ledger has what the provider reported.
//!
//! Every call goes through both planes. What is looked at: the caller's answer, the path and the body that the provider
//! got, in which header the credential came, and the tokens in the ledger.

use anyhow::{Context, Result, ensure};
use penstock_fake_provider::{FakeProvider, RecordedRequest};
use penstock_tests::{CREDENTIAL, Stack};
use serde_json::{Value, json};

/// What callers say; the answer says it again, in one piece.
const SAID: &str = "hello [[fake chunks=1 input=100 output=20 cache-read=30 reasoning=5]]";

/// A provider that serves one model, and what it is asked with.
struct Case {
    kind: &'static str,
    base_url: fn(&FakeProvider) -> String,
    flags: &'static [&'static str],
    model: &'static str,
    /// The caller's path; `*` stands for the method of a whole answer or a stream.
    path: &'static str,
    methods: [&'static str; 2],
    /// The provider's path and query, likewise.
    asked: [&'static str; 2],
    credential: Credential,
}

#[derive(Clone, Copy)]
enum Credential {
    XApiKey,
    Bearer,
    Google,
    ApiKey,
}

const MESSAGES: &str = "/v1/messages";
const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const GEMINI: [&str; 2] = [":generateContent", ":streamGenerateContent?alt=sse"];

const CASES: &[Case] = &[
    case(
        "anthropic",
        FakeProvider::base_url,
        "m-anthropic",
        MESSAGES,
        MESSAGES,
        Credential::XApiKey,
    ),
    case(
        "openai",
        FakeProvider::openai_base_url,
        "m-chat",
        CHAT,
        CHAT,
        Credential::Bearer,
    ),
    case(
        "openai",
        FakeProvider::openai_base_url,
        "m-responses",
        RESPONSES,
        RESPONSES,
        Credential::Bearer,
    ),
    case(
        "openai-compatible",
        FakeProvider::openai_base_url,
        "m-compatible",
        CHAT,
        CHAT,
        Credential::Bearer,
    ),
    Case {
        methods: GEMINI,
        asked: [
            "/v1beta/models/m-gemini:generateContent",
            "/v1beta/models/m-gemini:streamGenerateContent?alt=sse",
        ],
        ..case(
            "gemini",
            FakeProvider::base_url,
            "m-gemini",
            "/v1beta/models/m-gemini",
            "",
            Credential::Google,
        )
    },
    Case {
        flags: &["--api-version", "2024-10-21"],
        ..case(
            "azure-openai",
            FakeProvider::base_url,
            "m-azure",
            CHAT,
            "/openai/deployments/m-azure/chat/completions?api-version=2024-10-21",
            Credential::ApiKey,
        )
    },
    case(
        "azure-openai",
        FakeProvider::base_url,
        "m-azure-v1",
        RESPONSES,
        "/openai/v1/responses",
        Credential::ApiKey,
    ),
    Case {
        asked: [
            "/model/us.anthropic.m-v1%3A0/invoke",
            "/model/us.anthropic.m-v1%3A0/invoke-with-response-stream",
        ],
        ..case(
            "bedrock",
            FakeProvider::base_url,
            "us.anthropic.m-v1:0",
            MESSAGES,
            "",
            Credential::Bearer,
        )
    },
    Case {
        asked: [
            "/v1/projects/fake/locations/global/publishers/anthropic/models/claude-m:rawPredict",
            "/v1/projects/fake/locations/global/publishers/anthropic/models/claude-m:streamRawPredict",
        ],
        ..case(
            "vertex",
            FakeProvider::vertex_base_url,
            "claude-m",
            MESSAGES,
            "",
            Credential::Bearer,
        )
    },
    Case {
        methods: GEMINI,
        asked: [
            "/v1/projects/fake/locations/global/publishers/google/models/gemini-m:generateContent",
            "/v1/projects/fake/locations/global/publishers/google/models/gemini-m:streamGenerateContent?alt=sse",
        ],
        ..case(
            "vertex",
            FakeProvider::vertex_base_url,
            "gemini-m",
            "/v1beta/models/gemini-m",
            "",
            Credential::Bearer,
        )
    },
    case(
        "droid",
        FakeProvider::base_url,
        "m-droid",
        "/droid/claude/v1/messages",
        "/a/v1/messages",
        Credential::Bearer,
    ),
    case(
        "droid",
        FakeProvider::base_url,
        "m-droid-r",
        "/droid/openai/v1/responses",
        "/o/v1/responses",
        Credential::Bearer,
    ),
    case(
        "droid",
        FakeProvider::base_url,
        "m-droid-c",
        "/droid/comm/v1/chat/completions",
        "/o/v1/chat/completions",
        Credential::Bearer,
    ),
];

/// Of an API whose paths say nothing of the model.
const fn case(
    kind: &'static str,
    base_url: fn(&FakeProvider) -> String,
    model: &'static str,
    path: &'static str,
    asked: &'static str,
    credential: Credential,
) -> Case {
    Case {
        kind,
        base_url,
        flags: &[],
        model,
        path,
        methods: ["", ""],
        asked: [asked, asked],
        credential,
    }
}

fn body(case: &Case, stream: bool) -> Value {
    let messages = json!([{"role": "user", "content": SAID}]);
    if case.path.starts_with("/v1beta") {
        return json!({"contents": [{"role": "user", "parts": [{"text": SAID}]}]});
    }
    if case.path.ends_with("/responses") {
        return json!({"model": case.model, "stream": stream, "input": messages});
    }
    json!({"model": case.model, "stream": stream, "max_tokens": 50, "messages": messages})
}

fn check_request(case: &Case, stream: bool, request: &RecordedRequest) -> Result<()> {
    let path = match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    ensure!(
        path == case.asked[usize::from(stream)],
        "{} was asked at {path}",
        case.kind
    );
    let bearer = format!("Bearer {CREDENTIAL}");
    let (name, value) = match case.credential {
        Credential::XApiKey => ("x-api-key", CREDENTIAL),
        Credential::Bearer => ("authorization", bearer.as_str()),
        Credential::Google => ("x-goog-api-key", CREDENTIAL),
        Credential::ApiKey => ("api-key", CREDENTIAL),
    };
    for place in ["authorization", "x-api-key", "x-goog-api-key", "api-key"] {
        let wanted = (place == name).then_some(value);
        ensure!(request.header(place) == wanted, "{}: {place}", case.kind);
    }
    let body = request.json()?;
    let in_path = case.asked[0].contains(case.model) || case.kind == "bedrock";
    ensure!(
        body.get("model").is_none() == (in_path && case.kind != "azure-openai"),
        "{}: {body}",
        case.kind
    );
    Ok(())
}

#[tokio::test]
async fn b01_each_kind_of_provider_answers_and_its_tokens_are_in_the_ledger() -> Result<()> {
    let stack = Stack::builder().start().await?;
    for case in CASES {
        let mut flags = vec!["--model", case.model];
        flags.extend(case.flags);
        let name = case.model.replace([':', '.'], "-");
        stack.provider(&name, case.kind, &(case.base_url)(&stack.fake), &flags)?;
    }
    let key = stack.alice()?;
    stack.synced().await?;
    let mut calls = 0;
    for case in CASES {
        for stream in [false, true] {
            let what = format!("{} {} {stream}", case.kind, case.path);
            let url = format!(
                "{}{}{}",
                stack.data[0].url,
                case.path,
                case.methods[usize::from(stream)]
            );
            let asking = stack.http.post(url).bearer_auth(&key).json(&body(case, stream));
            let answer = asking.send().await?;
            let status = answer.status();
            let text = answer.text().await?;
            assert!(
                status == 200 && text.contains("You said: hello"),
                "{what}: {status} {text}"
            );
            let requests = stack.fake.requests();
            check_request(case, stream, requests.last().context(what)?)?;
            calls += 1;
        }
        let reported = stack.fake.usage_totals();
        assert_eq!(reported.answers, calls, "{} reported nothing", case.kind);
        let ledger = stack.ledger(calls).await?;
        let tokens = |field: &str| ledger[field].as_u64();
        assert_eq!(tokens("requests"), Some(calls));
        assert_eq!(
            tokens("input_tokens"),
            Some(reported.complete.input),
            "{}",
            case.kind
        );
        assert_eq!(
            tokens("output_tokens"),
            Some(reported.complete.output),
            "{}",
            case.kind
        );
        assert_eq!(
            tokens("cache_read_tokens"),
            Some(reported.complete.cache_read),
            "{}",
            case.kind
        );
        assert_eq!(
            tokens("reasoning_tokens"),
            Some(reported.complete.reasoning),
            "{}",
            case.kind
        );
    }
    Ok(())
}

#[tokio::test]
async fn b01_embeddings_and_compacted_conversations_are_metered() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    for (path, body, found) in [
        (
            "/v1/embeddings",
            json!({"model": "text-embedding-3-small", "input": ["a", "b"]}),
            "embedding",
        ),
        (
            "/v1/responses/compact",
            json!({"model": "gpt-5.5", "input": "hello"}),
            "compaction",
        ),
        (
            "/azure/embeddings",
            json!({"model": "text-embedding-3-small", "input": "a"}),
            "embedding",
        ),
    ] {
        let url = format!("{}{path}", stack.data[0].url);
        let answer = stack.http.post(url).bearer_auth(&key).json(&body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        assert!(status == 200 && text.contains(found), "{path}: {status} {text}");
    }
    let reported = stack.fake.usage_totals();
    let ledger = stack.ledger(3).await?;
    assert_eq!(ledger["input_tokens"].as_u64(), Some(reported.complete.input));
    assert_eq!(ledger["output_tokens"].as_u64(), Some(reported.complete.output));
    Ok(())
}
