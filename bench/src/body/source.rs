//! Text that looks like a repository: code with quotes, tabs, line ends and some letters beyond ASCII, so that JSON has
//! to escape as much as it does in a coding agent's requests. The same text in every run.

const LINES: [&str; 16] = [
    "pub fn decode(frame: &[u8]) -> Result<Frame<'_>, Error> {",
    "    let Some((head, rest)) = frame.split_at_checked(HEAD) else {",
    "        return Err(Error::Short { have: frame.len(), want: HEAD });",
    "    };",
    "\tif err := s.store.Put(ctx, \"usage/\"+id, body); err != nil {",
    "\t\treturn fmt.Errorf(\"put %q: %w\", id, err)",
    "\t}",
    "",
    "    // The cache is warmed lazily – see §4.2 of the design (“late binding”).",
    "    const name = `${user.first ?? \"\"} ${user.last}`.trim();",
    "    assert_eq!(parse(\"a\\\\b\"), Ok(vec![\"a\", \"b\"]), \"a backslash parts\");",
    "  - name: \"build\"",
    "    run: cargo build --locked --release 2>&1 | tee build.log",
    "SELECT id, sum(cost_nanousd) FROM usage WHERE hour >= $1 GROUP BY id;",
    "error[E0502]: cannot borrow `*self` as mutable because it is also borrowed as immutable",
    "  --> src/index/watch.rs:118:9",
];

/// An endless source of lines.
#[derive(Debug)]
pub(crate) struct Source {
    state: u64,
    line: u64,
}

impl Source {
    pub(crate) fn new() -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
            line: 0,
        }
    }

    /// Below `bound`, which is not 0. A linear congruential step: even enough for text.
    pub(crate) fn number(&mut self, bound: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound.max(1)
    }

    /// At least so many bytes of numbered lines, as a tool that reads files prints them.
    pub(crate) fn numbered(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 128);
        while text.len() < bytes {
            self.line += 1;
            let (number, line) = (self.line, self.pick());
            text.push_str(&format!("{number:>6}\t{line}\n"));
        }
        text
    }

    /// At least so many bytes of lines.
    pub(crate) fn plain(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 128);
        while text.len() < bytes {
            text.push_str(self.pick());
            text.push('\n');
        }
        text
    }

    fn pick(&mut self) -> &'static str {
        let count = u64::try_from(LINES.len()).unwrap_or(1);
        let index = usize::try_from(self.number(count)).unwrap_or(0);
        LINES.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_comes_in_every_run() {
        assert_eq!(Source::new().numbered(5_000), Source::new().numbered(5_000));
    }

    #[test]
    fn text_is_at_least_as_long_as_asked_and_not_much_longer() {
        let text = Source::new().plain(1_000);
        assert!((1_000..1_200).contains(&text.len()));
    }
}
