//! B4: a session's requests reach one provider, whichever data plane they come through and however the client names it.

use anyhow::{Context, Result};
use penstock_fake_provider::FakeProvider;
use penstock_tests::{CREDENTIAL, Redis, Stack, anthropic_body, chat_body};
use serde_json::{Value, json};

const PROVIDERS: usize = 4;
/// A session is bound while its first call is answered, so on a machine that stalls the next one may come too early.
const TURNS: usize = 20;

/// Where a client puts its session's id.
#[derive(Clone, Copy, Debug)]
enum Names {
    ClaudeCodeHeader,
    ClaudeCodeBody,
    CodexHeader,
    CacheKey,
    /// As Gemini's clients do; the conversation's start stands for it.
    Nothing,
}

struct Fleet {
    stack: Stack,
    key: String,
    fakes: Vec<FakeProvider>,
    _redis: Redis,
    _folder: tempfile::TempDir,
}

impl Fleet {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = Redis::start(folder.path()).await?;
        let url = redis.url();
        let flags = ["--redis-url", &url, "--redis-timeout", "5s"];
        let stack = Stack::builder()
            .data_planes(2)
            .data_plane_flags(&flags)
            .start()
            .await?;
        let cli = stack.cli(0);
        let mut fakes = Vec::new();
        for n in 0..PROVIDERS {
            let fake = FakeProvider::builder()
                .require_credential(CREDENTIAL)
                .start()
                .await?;
            for (kind, url) in [("anthropic", fake.base_url()), ("openai", fake.openai_base_url())] {
                let name = format!("{kind}-{n}");
                let args = [
                    "provider",
                    "create",
                    "--name",
                    &name,
                    "--kind",
                    kind,
                    "--base-url",
                    &url,
                ];
                cli.run_with(&[&args[..], &["--api-key", "-"]].concat(), CREDENTIAL)?;
            }
            fakes.push(fake);
        }
        cli.run(&["user", "create", "--name", "alice"])?;
        let key = stack.create_key("alice", "laptop")?;
        stack.synced().await?;
        Ok(Self {
            stack,
            key,
            fakes,
            _redis: redis,
            _folder: folder,
        })
    }

    async fn turn(&self, names: Names, session: usize, turn: usize) -> Result<()> {
        let id = format!("session-{session}");
        let chat = matches!(names, Names::CodexHeader | Names::CacheKey);
        let mut body = match chat {
            true => chat_body(&format!("begin {id}"), true),
            false => anthropic_body(&format!("begin {id}"), true),
        };
        continued(&mut body, turn)?;
        let url = &self.stack.data[turn % 2].url;
        let path = if chat {
            "/v1/chat/completions"
        } else {
            "/v1/messages"
        };
        let mut asking = self
            .stack
            .http
            .post(format!("{url}{path}"))
            .bearer_auth(&self.key);
        match names {
            Names::ClaudeCodeHeader => asking = asking.header("x-claude-code-session-id", &id),
            Names::CodexHeader => asking = asking.header("session_id", &id),
            Names::ClaudeCodeBody => {
                let user = format!("user_1_account_2_session_{id}");
                body["metadata"] = json!({ "user_id": user });
            }
            Names::CacheKey => body["prompt_cache_key"] = json!(id),
            Names::Nothing => {}
        }
        let answer = asking.json(&body).send().await?;
        assert_eq!(answer.status(), 200);
        answer.text().await?;
        Ok(())
    }

    fn counts(&self) -> Vec<u64> {
        self.fakes.iter().map(FakeProvider::request_count).collect()
    }
}

/// The conversation with so many turns behind it.
fn continued(body: &mut Value, turns: usize) -> Result<()> {
    let messages = body["messages"].as_array_mut().context("messages")?;
    for turn in 0..turns {
        messages.push(json!({"role": "assistant", "content": format!("answer {turn}")}));
        messages.push(json!({"role": "user", "content": format!("and {turn}?")}));
    }
    Ok(())
}

#[tokio::test]
async fn b04_nine_in_ten_of_a_sessions_requests_reach_one_provider_over_all_data_planes() -> Result<()> {
    let fleet = Fleet::start().await?;
    for names in [
        Names::ClaudeCodeHeader,
        Names::ClaudeCodeBody,
        Names::CodexHeader,
        Names::CacheKey,
        Names::Nothing,
    ] {
        let mut used = vec![false; PROVIDERS];
        for session in 0..10 {
            let before = fleet.counts();
            for turn in 0..TURNS {
                fleet.turn(names, session, turn).await?;
            }
            let mine: Vec<_> = fleet
                .counts()
                .iter()
                .zip(&before)
                .map(|(now, was)| now - was)
                .collect();
            let most = mine.iter().max().copied().unwrap_or_default();
            assert!(
                usize::try_from(most)? * 10 >= TURNS * 9,
                "{names:?} {session}: {mine:?}"
            );
            for (used, mine) in used.iter_mut().zip(mine) {
                *used |= mine > 0;
            }
        }
        assert!(
            used.iter().filter(|used| **used).count() > 1,
            "sessions are spread: {used:?}"
        );
    }
    Ok(())
}
