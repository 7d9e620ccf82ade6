//! The coding agents that people use, from npm, run a turn with a tool through a data plane.
//!
//! The provider is told to call the agent's shell; the agent runs the command, sends what it printed, and the provider's
//! last answer repeats it. So what is seen at the end went through everything: the agent's request, the tool call that
//! came back, the result that went out, the answer. The command writes a file too, which only a real shell does.

use anyhow::{Context, Result};
use penstock_tests::{Npm, Stack, until};

const COMMAND: &str = "echo from the shell | tr a-z A-Z | tee ran.txt";
/// What the command prints; the prompt does not have it.
const PRINTED: &str = "FROM THE SHELL";

/// What makes the provider call the agent's tool with the command in this argument.
fn prompt(tool: &str, argument: &str) -> String {
    format!(
        r#"[[fake tool={tool} tool-input='{{"{argument}":"{COMMAND}","description":"prints"}}']] Please."#
    )
}

/// A turn ended well, and the ledger equals what the provider reported.
async fn check(npm: &Npm, stack: &Stack, said: &str, provider_path: &str) -> Result<()> {
    assert!(
        said.contains(PRINTED),
        "the answer has not what the tool printed: {said}"
    );
    let written = std::fs::read_to_string(npm.work().join("ran.txt"));
    assert_eq!(written.context("the command did not run")?.trim(), PRINTED);
    let requests = stack.fake.requests();
    let asked = requests
        .iter()
        .filter(|request| request.path.starts_with(provider_path));
    let results = asked.filter(|request| String::from_utf8_lossy(&request.body).contains(PRINTED));
    assert!(
        results.count() >= 1,
        "the tool's result did not reach the provider"
    );
    // The agent may have asked for something beside the turn, which can end after it.
    until("the ledger equals what the provider reported", || async {
        let reported = stack.fake.usage_totals();
        let usage = stack.cli(0).json(&["usage"])?;
        let tokens = |field: &str| usage[field].as_u64().unwrap_or_default();
        let equal = tokens("requests") == reported.answers
            && tokens("input_tokens") == reported.complete.input
            && tokens("cache_read_tokens") == reported.complete.cache_read
            && tokens("output_tokens") == reported.complete.output;
        Ok((reported.answers >= 2 && equal).then_some(()))
    })
    .await
}

async fn claude_code(npm: &Npm, stack: &Stack, key: &str) -> Result<String> {
    let env = [
        ("ANTHROPIC_BASE_URL", stack.data[0].url.as_str()),
        ("ANTHROPIC_API_KEY", key),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ];
    let prompt = prompt("Bash", "command");
    let args = ["-p", prompt.as_str(), "--allowedTools", "Bash"];
    npm.program("claude", &args, &env).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claude_code_with_anthropic() -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let said = claude_code(&npm, &stack, &key).await?;
    check(&npm, &stack, &said, "/v1/messages").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claude_code_with_a_provider_that_speaks_chat() -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let stack = Stack::builder().start().await?;
    let url = stack.fake.openai_base_url();
    stack.provider("relay", "openai-compatible", &url, &["--translate", "anthropic"])?;
    let key = stack.alice()?;
    stack.synced().await?;
    let said = claude_code(&npm, &stack, &key).await?;
    check(&npm, &stack, &said, "/v1/chat/completions").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claude_code_in_its_bedrock_mode() -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let stack = Stack::builder().start().await?;
    stack.provider("aws", "bedrock", &stack.fake.base_url(), &[])?;
    let key = stack.alice()?;
    stack.synced().await?;
    let url = format!("{}/bedrock", stack.data[0].url);
    let env = [
        ("CLAUDE_CODE_USE_BEDROCK", "1"),
        ("ANTHROPIC_BEDROCK_BASE_URL", url.as_str()),
        ("AWS_BEARER_TOKEN_BEDROCK", key.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ];
    let prompt = prompt("Bash", "command");
    let args = ["-p", prompt.as_str(), "--allowedTools", "Bash"];
    let said = npm.program("claude", &args, &env).await?;
    check(&npm, &stack, &said, "/model/").await
}

async fn codex(npm: &Npm, stack: &Stack, key: &str) -> Result<String> {
    let config = format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"gw\"\ncheck_for_update_on_startup = false\n\
         [analytics]\nenabled = false\n\
         [model_providers.gw]\nname = \"gw\"\nbase_url = \"{}/v1\"\nenv_key = \"KEY\"\nwire_api = \"responses\"\n",
        stack.data[0].url
    );
    npm.write(".codex/config.toml", &config)?;
    let prompt = prompt("exec_command", "cmd").replace(r#","description":"prints""#, "");
    let args = [
        "exec",
        "--skip-git-repo-check",
        "--json",
        "--dangerously-bypass-approvals-and-sandbox",
        prompt.as_str(),
    ];
    npm.program("codex", &args, &[("KEY", key)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codex_with_openai() -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let said = codex(&npm, &stack, &key).await?;
    assert!(said.contains("turn.completed"), "{said}");
    check(&npm, &stack, &said, "/v1/responses").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codex_with_claude() -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let stack = Stack::builder().start().await?;
    let url = stack.fake.base_url();
    let flags = [
        "--translate",
        "openai-responses",
        "--redirect",
        "gpt-5.5=claude-opus-4-8",
    ];
    stack.provider("claude", "anthropic", &url, &flags)?;
    let key = stack.alice()?;
    stack.synced().await?;
    let said = codex(&npm, &stack, &key).await?;
    assert!(said.contains("turn.completed"), "{said}");
    check(&npm, &stack, &said, "/v1/messages").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gemini_cli_with_gemini() -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let stack = Stack::builder().start().await?;
    stack.provider("google", "gemini", &stack.fake.base_url(), &[])?;
    let key = stack.alice()?;
    stack.synced().await?;
    npm.write(
        ".gemini/settings.json",
        r#"{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false},
            "general": {"disableAutoUpdate": true, "enableAutoUpdate": false}}"#,
    )?;
    let prompt = prompt("run_shell_command", "command");
    let args = [
        "-p",
        prompt.as_str(),
        "--skip-trust",
        "--yolo",
        "-m",
        "gemini-2.5-flash",
    ];
    let env = [
        ("GOOGLE_GEMINI_BASE_URL", stack.data[0].url.as_str()),
        ("GEMINI_API_KEY", key.as_str()),
    ];
    let said = npm.program("gemini", &args, &env).await?;
    check(&npm, &stack, &said, "/v1beta/models/gemini-2.5-flash").await
}
