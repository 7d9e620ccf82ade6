//! `${env:NAME}` and `${file:PATH}` inside texts: values that do not belong into a file that is shared.
//!
//! A path is relative to the file that it stands in. `$${env:` is a literal `${env:`. Everything else with a `$` is left
//! alone: regular expressions and headers have their own uses for it.

use std::path::Path;

use crate::target::Env;

const MARKS: [&str; 2] = ["${env:", "${file:"];
/// No credential and no certificate is larger.
const MAX_BYTES: u64 = 1 << 20;

/// Where references lead to.
#[derive(Clone, Copy)]
pub(crate) struct References<'a> {
    pub env: Env<'a>,
    pub folder: &'a Path,
}

/// A text with its references replaced, and whether there were any.
pub(super) fn resolve(text: &str, from: References<'_>) -> Result<(String, bool), String> {
    let (mut out, mut rest, mut any) = (String::with_capacity(text.len()), text, false);
    while let Some((at, mark)) = next(rest) {
        let (before, begun) = (
            rest.get(..at).unwrap_or_default(),
            rest.get(at..).unwrap_or_default(),
        );
        let inside = begun.strip_prefix(mark).unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str(mark);
            rest = inside;
            continue;
        }
        let Some((name, after)) = inside.split_once('}') else {
            return Err(format!("{mark} has no closing brace"));
        };
        out.push_str(before);
        out.push_str(&value(mark, name.trim(), from)?);
        (rest, any) = (after, true);
    }
    out.push_str(rest);
    Ok((out, any))
}

/// Whether a text holds a reference.
pub(super) fn is_any(text: &str) -> bool {
    next(text).is_some()
}

/// As [`resolve`] reads it back.
pub(super) fn escape(text: &str) -> String {
    MARKS.iter().fold(text.to_owned(), |text, mark| {
        text.replace(mark, &format!("${mark}"))
    })
}

fn next(text: &str) -> Option<(usize, &'static str)> {
    let found = MARKS.iter().filter_map(|mark| Some((text.find(mark)?, *mark)));
    found.min()
}

fn value(mark: &str, name: &str, from: References<'_>) -> Result<String, String> {
    if mark.contains("env") {
        let value = (from.env)(name).filter(|value| !value.is_empty());
        return value.ok_or_else(|| format!("the environment variable {name} is not set: export it"));
    }
    let path = from.folder.join(name);
    let cannot = |why: String| format!("{} cannot be read: {why}", path.display());
    let length = std::fs::metadata(&path)
        .map_err(|error| cannot(error.to_string()))?
        .len();
    if length > MAX_BYTES {
        return Err(cannot("it is larger than 1 MB".to_owned()));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| cannot(error.to_string()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, bool), String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key.txt"), "from-file\n").unwrap();
        let env = |name: &str| (name == "KEY").then(|| "from-env".to_owned());
        resolve(
            text,
            References {
                env: &env,
                folder: folder.path(),
            },
        )
    }

    #[test]
    fn g04_references_are_replaced_whole_or_inside_a_text() {
        assert_eq!(read("${env:KEY}"), Ok(("from-env".to_owned(), true)));
        assert_eq!(
            read("a ${file:key.txt} b ${env:KEY}").unwrap().0,
            "a from-file b from-env"
        );
        assert_eq!(read("they ${name} $1"), Ok(("they ${name} $1".to_owned(), false)));
    }

    #[test]
    fn g04_what_is_not_there_is_named() {
        assert!(read("${env:OTHER}").unwrap_err().contains("OTHER is not set"));
        assert!(read("${file:none}").unwrap_err().contains("none cannot be read"));
        assert!(read("${env:KEY").unwrap_err().contains("closing brace"));
    }

    #[test]
    fn g04_a_literal_reference_is_written_and_read_back() {
        let text = "say ${env:KEY} and ${file:x}";
        assert_eq!(read(&escape(text)), Ok((text.to_owned(), false)));
    }
}
