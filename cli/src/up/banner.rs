//! What `penstock up` prints when it is ready: where it is, how to sign in, what to do first.

use super::demo::Demo;
use super::home::Home;
use super::planes::Running;

/// The text, for standard output.
pub(crate) fn text(running: &Running, home: &Home, demo: Option<&Demo>) -> String {
    let traffic = running.traffic_url();
    let mut text = format!(
        "Penstock is up.\n\n  callers    {traffic}\n  operators  {}\n  health     {}/health\n  console    {}/health\n  state      {}\n",
        running.server(),
        running.admin_url(),
        running.console_url(),
        home.path.display(),
    );
    if home.new_token {
        // Shown once, on the terminal of whoever made it.
        text += &format!(
            "  token      {}   (admin; shown once, kept in the context file)\n",
            home.admin_token.expose()
        );
    }
    text += &match demo {
        Some(demo) => with_demo(&traffic, demo),
        None => first_steps(&traffic),
    };
    text
}

fn with_demo(traffic: &str, demo: &Demo) -> String {
    let key = demo.key.expose();
    format!(
        "
Ask the built-in provider through the gateway:

curl {traffic}/v1/messages -H 'x-api-key: {key}' -H 'content-type: application/json' \\
  -d '{{\"model\":\"claude-opus-4-8\",\"max_tokens\":100,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'

Then see what it cost, and look around:

  penstock usage --by key
  penstock provider list
  penstock node list
"
    )
}

fn first_steps(traffic: &str) -> String {
    format!(
        "
Make a provider, a user and a key:

  penstock provider create --name claude --kind anthropic --base-url https://api.anthropic.com --api-key-env ANTHROPIC_API_KEY
  penstock user create --name alice
  penstock key create --user alice --name laptop

and point a client at it:

  ANTHROPIC_BASE_URL={traffic} ANTHROPIC_API_KEY=psk_… claude
"
    )
}
