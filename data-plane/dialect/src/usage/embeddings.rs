//! OpenAI embeddings: the prompt is all that is used, and nothing streams.

use super::{Body, Seen, tokens};
use crate::json::{Fault, Kind, Members};
use crate::upstream_error::UpstreamError;

pub(super) fn body(seen: &mut Seen, body: &[u8]) -> Result<Body, Fault> {
    let mut error = false;
    let mut members = Members::open(body)?;
    while let Some(member) = members.next()? {
        let value = member.value;
        match member.key.name().as_deref() {
            Some(b"model") => seen.note_model(&value),
            Some(b"error") => error |= !value.is_empty(),
            Some(b"usage") if value.kind == Kind::Object => value.each_member(|name, value| {
                if name == b"prompt_tokens"
                    && let Some(prompt) = tokens(&value)
                {
                    seen.usage.input = prompt;
                    seen.reported = true;
                    seen.input_reported = true;
                    seen.output_reported = true;
                }
            }),
            _ => {}
        }
    }
    members.finish()?;
    Ok(match error {
        true => Body::Error(UpstreamError::read(body)),
        false => Body::Answer,
    })
}
