//! Paths of APIs that have everything else in the body, and Bedrock's.
//!
//! Prefixes are those of older relays, so that their clients move without a change; a prefix that names a vendor has
//! that vendor's endpoints alone.

use penstock_core::dialect::{Dialect, Operation};

use super::{Ask, Framing, InPath, model};

/// The dialect that is spoken at a path, and what is asked there.
pub(super) fn find(path: &str) -> Option<(Dialect, Ask)> {
    if let Some(rest) = path.strip_prefix("/droid/") {
        let dialect = match rest {
            "claude/v1/messages" => Dialect::Anthropic,
            "openai/v1/responses" => Dialect::OpenaiResponses,
            "comm/v1/chat/completions" => Dialect::OpenaiChat,
            _ => return None,
        };
        let ask = Ask {
            droid: true,
            ..Ask::default()
        };
        return Some((dialect, ask));
    }
    if let Some(rest) = path.strip_prefix("/bedrock/model/") {
        return bedrock(rest);
    }
    let (vendor, rest) = vendor(path)?;
    let (dialect, operation) = match rest {
        "messages" => (Dialect::Anthropic, Operation::Generate),
        "messages/count_tokens" => (Dialect::Anthropic, Operation::CountTokens),
        "chat/completions" => (Dialect::OpenaiChat, Operation::Generate),
        "responses" => (Dialect::OpenaiResponses, Operation::Generate),
        "responses/compact" => (Dialect::OpenaiResponses, Operation::Compact),
        "embeddings" => (Dialect::OpenaiEmbeddings, Operation::Generate),
        _ => return None,
    };
    let fits = match vendor {
        Vendor::Any => true,
        Vendor::Anthropic => dialect == Dialect::Anthropic,
        Vendor::Openai => dialect != Dialect::Anthropic,
    };
    let ask = Ask {
        operation,
        ..Ask::default()
    };
    fits.then_some((dialect, ask))
}

/// Whose endpoints a prefix has.
#[derive(Clone, Copy)]
enum Vendor {
    Any,
    Anthropic,
    Openai,
}

fn vendor(path: &str) -> Option<(Vendor, &str)> {
    [
        ("/anthropic/v1/", Vendor::Anthropic),
        ("/claude/v1/", Vendor::Anthropic),
        ("/openai/v1/", Vendor::Openai),
        ("/openai/", Vendor::Openai),
        ("/azure/", Vendor::Openai),
        ("/api/v1/", Vendor::Any),
        ("/v1/", Vendor::Any),
    ]
    .into_iter()
    .find_map(|(prefix, vendor)| Some((vendor, path.strip_prefix(prefix)?)))
}

/// `MODEL/invoke`, where the model may have slashes (an ARN) and a raw colon.
fn bedrock(rest: &str) -> Option<(Dialect, Ask)> {
    let (id, method) = rest.rsplit_once('/')?;
    let stream = match method {
        "invoke" => false,
        "invoke-with-response-stream" => true,
        _ => return None,
    };
    let ask = Ask {
        in_path: Some(InPath {
            model: model(id)?,
            stream,
        }),
        framing: Framing::Bedrock,
        ..Ask::default()
    };
    Some((Dialect::Anthropic, ask))
}
