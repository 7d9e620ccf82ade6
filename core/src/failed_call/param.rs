//! Which parameter of a request an error message begins with.

/// Longer paths are none, bytes.
const MAX_PATH: usize = 200;

/// The path that a message leads with: `messages.1.content.0.text` of `messages.1.content.0.text: Field required`.
///
/// One word alone is a path only with an underscore (`max_tokens: …`), since messages begin with words.
pub fn leading_path(message: &str) -> Option<&str> {
    let (path, _) = message.trim_start().split_once(':')?;
    let path = path.trim_matches(['`', '\'', '"']);
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"._[]-".contains(&byte);
    let shaped = path.len() <= MAX_PATH
        && path.starts_with(|first: char| first.is_ascii_lowercase())
        && path.bytes().all(letters);
    let is_path = ['.', '[', '_'].iter().any(|joint| path.contains(*joint));
    (shaped && is_path && !path.ends_with('.')).then_some(path)
}
