//! Recorded answers of each dialect, written from the vendors' documented formats, and what is read of them: what each
//! event means, the tokens by class, the model and the id (behaviours B6, C3, E2).
//!
//! A case is a file in `tests/golden/DIALECT`: `.sse` a stream, `.json` a whole body.

use std::fs;
use std::path::Path;

use penstock_core::dialect::Dialect;

use crate::transcript::{body, stream};

#[test]
fn e02_recorded_answers_are_read_to_the_token() {
    let mut cases = 0;
    for dialect in Dialect::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(dialect.as_str());
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).unwrap();
            let read = match path.extension().and_then(|end| end.to_str()) {
                Some("sse") => stream(dialect, &text),
                _ => body(dialect, &text),
            };
            let name = path.file_stem().unwrap().to_str().unwrap();
            insta::assert_snapshot!(format!("{dialect}__{name}"), read);
            cases += 1;
        }
    }
    assert!(cases >= 60, "{cases}");
}
