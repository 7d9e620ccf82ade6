//! What becomes of a call whose provider fails: every class of failure × who fails × stream or not.
//!
//! Each case has two providers of its own, `first` before `second`, which are the only ones for its model. The table
//! says what the caller gets and who was asked how often (`first+second`), when the first alone fails and when both do;
//! and whether the first is asked again by the next call, or left alone: then also the state of it that operators see.
//! `shown`: the provider's own words; a code: ours.

use anyhow::{Context, Result, bail, ensure};
use penstock_fake_provider::{Behaviour, FakeProvider};
use penstock_tests::{CREDENTIAL, Stack, free_port, until};
use serde_json::{Value, json};

struct Row {
    /// The class and what happens.
    name: &'static str,
    /// In the words of the fake provider; `dead`: nobody listens there.
    fault: &'static str,
    kinds: &'static [bool],
    /// The first fails, the second is well.
    one: &'static str,
    /// Both fail.
    all: &'static str,
    /// After one failed call.
    then: &'static str,
}

const BOTH: &[bool] = &[true, false];
const STREAM: &[bool] = &[true];
const WHOLE: &[bool] = &[false];
const ASKED: &str = "asked again";

const fn row(
    name: &'static str,
    fault: &'static str,
    kinds: &'static [bool],
    one: &'static str,
    all: &'static str,
    then: &'static str,
) -> Row {
    Row {
        name,
        fault,
        kinds,
        one,
        all,
        then,
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    //   class and what happens         the provider's fault                                                              stream? one fails          both fail                     then the first is
    row("C a wrong request",            "status=400 message='tools: Extra inputs are not permitted'",                      BOTH,   "400 shown 1+0",   "400 shown 1+0",              ASKED),
    row("C too large",                  "status=413",                                                                      BOTH,   "413 shown 1+0",   "413 shown 1+0",              ASKED),
    row("X the context is too long",    "status=400 message='prompt is too long: 9 tokens > 8 maximum'",                   BOTH,   "400 shown 1+0",   "400 shown 1+0",              ASKED),
    row("F filtered",                   "status=400 message='Output blocked by content filtering policy'",                 BOTH,   "400 shown 1+0",   "400 shown 1+0",              ASKED),
    row("A another account's state",    "status=400 code=thread_already_continued",                                        BOTH,   "400 shown 1+0",   "400 shown 1+0",              ASKED),
    row("N no such model",              "status=404 message='model: x'",                                                   BOTH,   "200 - 1+1",       "404 shown 1+1",              "no_model"),
    row("K the credential is refused",  "status=401 message='invalid x-api-key'",                                          BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     "credential_suspect"),
    row("K disabled for good",          "status=400 code=organization_on_hold",                                            BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     "credential_revoked"),
    row("B no money, in a 400",         "status=400 message='Your credit balance is too low to access the Anthropic API'", BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     "billing"),
    row("B no money",                   "status=402",                                                                      BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     "billing"),
    row("R limited, a moment stated",   "status=429 retry-after=77",                                                       BOTH,   "200 - 1+1",       "429 shown 1+1",              "cooling"),
    row("R limited, no moment stated",  "status=429",                                                                      BOTH,   "200 - 1+1",       "429 shown 1+1",              "cooling"),
    row("R in another vendor's words",  r#"status=429 body='{"error":{"status":"RESOURCE_EXHAUSTED","message":"m"}}'"#,    BOTH,   "200 - 1+1",       "429 shown 1+1",              "cooling"),
    row("O overloaded",                 "status=529",                                                                      BOTH,   "200 - 2+1",       "529 shown 2+2",              "cooling"),
    row("T a server's error",           "status=500",                                                                      BOTH,   "200 - 2+1",       "500 shown 2+2",              ASKED),
    row("T a gateway's page",           "status=502 html",                                                                 BOTH,   "200 - 2+1",       "502 UPSTREAM_ERROR 2+2",     ASKED),
    row("T their timeout",              "status=504",                                                                      BOTH,   "200 - 1+1",       "504 shown 1+1",              ASKED),
    row("T no first byte in time",      "hang",                                                                            STREAM, "200 - 1+1",       "504 REQUEST_TIMEOUT 1+1",    ASKED),
    row("T the call's time is over",    "hang",                                                                            WHOLE,  "504 REQUEST_TIMEOUT 1+0", "504 REQUEST_TIMEOUT 1+0", ASKED),
    row("T the connection is reset",    "reset",                                                                           BOTH,   "200 - 2+1",       "502 UPSTREAM_ERROR 2+2",     ASKED),
    row("T nobody listens",             "dead",                                                                            BOTH,   "200 - 0+1",       "502 UPSTREAM_ERROR 0+0",     ASKED),
    row("T an egress proxy denies",     "status=403 header='x-deny-reason: host_not_allowed' body=no",                     BOTH,   "200 - 1+1",       "403 shown 1+1",              ASKED),
    row("T a redirect",                 "redirect=http://127.0.0.1:9/",                                                    BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     ASKED),
    row("T nothing in a 200",           "empty",                                                                           BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     ASKED),
    row("T no JSON in a 200",           "malformed",                                                                       BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     ASKED),
    row("T an error before content",    "error=1 type=api_error",                                                          STREAM, "200 - 2+1",       "500 shown 2+2",              ASKED),
    row("O overloaded before content",  "error=1 type=overloaded_error",                                                   STREAM, "200 - 2+1",       "529 shown 2+2",              "cooling"),
    row("T an error in a 200",          r#"body='{"type":"error","error":{"type":"api_error","message":"m"}}'"#,           WHOLE,  "200 - 2+1",       "500 shown 2+2",              ASKED),
    row("U a page in a 200",            "html",                                                                            BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     ASKED),
    row("U a page in a 403",            "status=403 html",                                                                 BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     ASKED),
    row("U a 403 nobody knows",         "status=403 message='No.'",                                                        BOTH,   "200 - 1+1",       "502 UPSTREAM_ERROR 1+1",     ASKED),
    row("M broken after content",       "error=4 type=api_error",                                                          STREAM, "200 broken 1+0",  "200 broken 1+0",             ASKED),
    row("M cut after content",          "cut=4",                                                                           STREAM, "200 broken 1+0",  "200 broken 1+0",             ASKED),
];

#[tokio::test]
async fn every_failure_of_a_provider_means_what_the_specification_says() -> Result<()> {
    let matrix = Matrix::start().await?;
    let mut wrong = Vec::new();
    let mut cases = Vec::new();
    for (n, row) in ROWS.iter().enumerate() {
        for stream in row.kinds {
            for all_fail in [false, true] {
                cases.push((row, *stream, all_fail, format!("fault-{n}-{stream}-{all_fail}")));
            }
        }
    }
    for (row, _, all_fail, model) in &cases {
        matrix.providers(row, *all_fail, model)?;
    }
    matrix.stack.synced().await?;
    for (row, stream, all_fail, model) in cases {
        let expected = if all_fail { row.all } else { row.one };
        let (found, then) = matrix.run(row, stream, all_fail, &model).await?;
        if (found.as_str(), then.as_str()) != (expected, row.then) {
            wrong.push(format!(
                "{} (stream {stream}, all {all_fail}): wanted {expected}, {}; found {found}, {then}",
                row.name, row.then
            ));
        }
    }
    ensure!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    Ok(())
}

struct Matrix {
    stack: Stack,
    first: FakeProvider,
    second: FakeProvider,
    key: String,
}

impl Matrix {
    async fn start() -> Result<Self> {
        let stack = Stack::builder().start().await?;
        stack.cli(0).run(&["user", "create", "--name", "alice"])?;
        let key = stack.create_key("alice", "laptop")?;
        let fake = || FakeProvider::builder().require_credential(CREDENTIAL).start();
        let (first, second) = (fake().await?, fake().await?);
        Ok(Self {
            stack,
            first,
            second,
            key,
        })
    }

    fn providers(&self, row: &Row, all_fail: bool, model: &str) -> Result<()> {
        for (name, fake, priority) in [("first", &self.first, "1"), ("second", &self.second, "2")] {
            let dead = row.fault == "dead" && (name == "first" || all_fail);
            let url = match dead {
                true => format!("http://127.0.0.1:{}", free_port()?),
                false => fake.base_url(),
            };
            let name = format!("{model}-{name}");
            let args = [
                "provider",
                "create",
                "--name",
                &name,
                "--kind",
                "anthropic",
                "--base-url",
                &url,
                "--priority",
                priority,
                "--model",
                model,
                "--timeout-first-byte",
                "2s",
                "--timeout-total",
                "4s",
                "--api-key",
                "-",
            ];
            self.stack.cli(0).run_with(&args, CREDENTIAL)?;
        }
        Ok(())
    }

    /// What the caller got and who was asked; and whether the first is asked again.
    async fn run(&self, row: &Row, stream: bool, all_fail: bool, model: &str) -> Result<(String, String)> {
        let fault = match row.fault {
            "dead" => Behaviour::default(),
            words => Behaviour::parse(words)?,
        };
        self.second.set_default(if all_fail {
            fault.clone()
        } else {
            Behaviour::default()
        });
        self.first.set_default(fault);
        let answer = self
            .call(model, stream, "Name a colour.")
            .await
            .with_context(|| row.name)?;
        let asked = [&self.first, &self.second].map(|fake| asked_of(fake, model));
        self.first.set_default(Behaviour::default());
        self.second.set_default(Behaviour::default());
        let before = asked[0];
        // Another conversation: the one before stays where it was served.
        self.call(model, false, "Name a number.").await?;
        // Of a dead one nobody can say whether it was asked.
        let again = row.fault == "dead" || asked_of(&self.first, model) > before;
        let then = self.state(row, again, model).await?;
        Ok((format!("{answer} {}+{}", asked[0], asked[1]), then))
    }

    /// What became of the first: `asked again`, or the state that keeps calls away, as operators see it.
    async fn state(&self, row: &Row, again: bool, model: &str) -> Result<String> {
        let name = format!("{model}-first");
        let shown = || -> Result<Option<String>> {
            let list = self
                .stack
                .cli(0)
                .json(&["breaker", "list", "--provider", &name])?;
            let states = list["items"].as_array().context("items")?.iter();
            let mut states = states.filter_map(|item| item["state"].as_str());
            Ok(states.find(|state| *state != "closed").map(str::to_owned))
        };
        if again {
            return Ok(shown()?.unwrap_or_else(|| ASKED.to_owned()));
        }
        // What a data plane decides is known to the control plane a moment later.
        let what = format!("{}: the state of {name} is known", row.name);
        let seen = || async {
            match shown()? {
                Some(state) => Ok(Some(state)),
                // A probe may have cleared it by now; the data plane remembers that it was so.
                None => self.was(&name).await,
            }
        };
        until(&what, seen).await
    }

    /// The state of its credential that the data plane found the provider in.
    async fn was(&self, name: &str) -> Result<Option<String>> {
        let url = format!("{}/metrics", self.stack.data[0].admin_url);
        let metrics = self.stack.http.get(url).send().await?.text().await?;
        let of_it = format!("penstock_provider_state_changes_total{{provider=\"{name}\",");
        let began = |line: &str| Some(line.split_once("to=\"")?.1.split_once('"')?.0.to_owned());
        let states = metrics
            .lines()
            .filter(|line| line.starts_with(&of_it))
            .filter_map(began);
        let mut refused = states.filter(|to| to == "credential_suspect" || to == "credential_revoked");
        Ok(refused.next())
    }

    async fn call(&self, model: &str, stream: bool, says: &str) -> Result<String> {
        let body = json!({
            "model": model, "max_tokens": 100, "stream": stream,
            "messages": [{"role": "user", "content": says}],
        });
        let mut response = self.stack.messages(0, &self.key, &body).await?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let code = header("x-penstock-code");
        ensure!(
            header("x-penstock-request-id").is_some(),
            "every answer has an id"
        );
        if matches!(status, 429 | 503) {
            ensure!(header("retry-after").is_some(), "{status} without retry-after");
        }
        // An answer that broke off ends with the connection.
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes)?;
        Ok(match (status, code) {
            (200, None) => format!("200 {}", how_it_ended(&text, stream)?),
            (_, Some(code)) => {
                let error: Value = serde_json::from_str(&text)?;
                ensure!(error["type"] == "error", "{text}");
                format!("{status} {code}")
            }
            (_, None) => format!("{status} shown"),
        })
    }
}

fn how_it_ended(text: &str, stream: bool) -> Result<&'static str> {
    let answers = match stream {
        true => text.contains("event: message_stop"),
        false => text.contains("\"stop_reason\""),
    };
    match (answers, text.contains("event: error")) {
        (true, false) => Ok("-"),
        (false, true) => Ok("broken"),
        _ => bail!("neither whole nor broken: {text}"),
    }
}

/// Calls of the model that reached the fake.
fn asked_of(fake: &FakeProvider, model: &str) -> usize {
    let of_model = |request: &&penstock_fake_provider::RecordedRequest| {
        request.json().is_ok_and(|body| body["model"] == model)
    };
    fake.requests().iter().filter(of_model).count()
}
