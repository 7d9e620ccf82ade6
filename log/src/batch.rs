//! Lines are written in batches.
//!
//! To be woken for each line costs more than the line: a wake-up by whoever logs, two task switches, a write. So a thread that
//! has written what there was sleeps for [`PAUSE`]; what is logged meanwhile waits in its queue, wakes nobody, and goes out
//! with one write. A line stands in its file some milliseconds after it was logged.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::Duration;

/// Between two batches. At 20 000 lines a second 100 wait.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes of one write.
const BATCH: usize = 64 << 10;

/// A writer whose flush ends a batch. What it could not write it tries again with the next one.
pub(crate) struct Batches<W: Write>(BufWriter<W>);

impl<W: Write> Batches<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self(BufWriter::with_capacity(BATCH, writer))
    }
}

impl<W: Write> Write for Batches<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.0.flush();
        thread::sleep(PAUSE);
        flushed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counted(Vec<Vec<u8>>);

    impl Write for &mut Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn g14_lines_of_a_batch_go_out_with_one_write() {
        let mut counted = Counted::default();
        let mut batches = Batches::new(&mut counted);
        for line in ["one\n", "two\n", "three\n"] {
            batches.write_all(line.as_bytes()).unwrap();
        }
        batches.flush().unwrap();
        batches.write_all(b"four\n").unwrap();
        batches.flush().unwrap();
        drop(batches);
        assert_eq!(counted.0, [b"one\ntwo\nthree\n".to_vec(), b"four\n".to_vec()]);
    }
}
