//! Tokens of sound and pictures are read as parts of input and output, and never as more than the whole.

use penstock_core::dialect::Dialect::{self, Gemini, OpenaiChat, OpenaiResponses};
use penstock_dialect::usage::{Body, Observer};

/// Input, sound and pictures of it; output, sound and pictures of it.
fn read(dialect: Dialect, answer: &str) -> [u64; 6] {
    let mut observer = Observer::new(dialect);
    assert_eq!(observer.body(answer.as_bytes()), Body::Answer);
    let (usage, _) = observer.settled();
    [
        usage.input,
        usage.audio_input,
        usage.image_input,
        usage.output,
        usage.audio_output,
        usage.image_output,
    ]
}

#[test]
fn e02_openai_tells_sound_and_pictures_in_details() {
    let chat = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50,
        "prompt_tokens_details":{"cached_tokens":20,"audio_tokens":30,"image_tokens":10},
        "completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":40}}}"#;
    assert_eq!(read(OpenaiChat, chat), [80, 30, 10, 50, 40, 0]);
    let responses = r#"{"id":"r","status":"completed","output":[],"usage":{"input_tokens":100,"output_tokens":50,
        "input_tokens_details":{"image_tokens":60},"output_tokens_details":{"image_tokens":45}}}"#;
    assert_eq!(read(OpenaiResponses, responses), [100, 0, 60, 50, 0, 45]);
    let odd = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,
        "prompt_tokens_details":{"cached_tokens":8,"audio_tokens":9,"image_tokens":9},
        "completion_tokens_details":{"audio_tokens":3,"image_tokens":9}}}"#;
    assert_eq!(
        read(OpenaiChat, odd),
        [2, 2, 0, 5, 3, 2],
        "what was cached pays as cached"
    );
}

#[test]
fn e02_gemini_tells_tokens_by_modality() {
    let answer = r#"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{
        "promptTokenCount":1000,"cachedContentTokenCount":100,"candidatesTokenCount":1300,"thoughtsTokenCount":7,
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":200},{"modality":"AUDIO","tokenCount":500},
            {"modality":"IMAGE","tokenCount":258},{"modality":"VIDEO","tokenCount":42}],
        "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":100}],
        "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290},{"modality":"TEXT","tokenCount":10}]}}"#;
    assert_eq!(read(Gemini, answer), [900, 400, 258, 1307, 0, 1290]);
}
