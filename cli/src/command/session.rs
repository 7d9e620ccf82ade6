//! What every command has at hand: how to reach the control plane, the form of the answer, one "now".

use penstock_core::time::UnixMs;

use crate::args::moment;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::remote::Services;
use crate::target::{Remote, Target, process_env};
use crate::view::{Changed, Done, List, Row, View};

/// See the module.
pub(crate) struct Session {
    remote: Remote,
    format: Format,
    pub now: UnixMs,
}

impl Session {
    pub(crate) fn new(remote: Remote, format: Format) -> Self {
        Self {
            remote,
            format,
            now: moment::now(),
        }
    }

    pub(crate) fn target(&self) -> Result<Target, Failure> {
        self.remote.target(&process_env)
    }

    /// Connects to the control plane. Input is read and checked before, so that wrong input does not wait for it.
    pub(crate) async fn connect(&self) -> Result<Services, Failure> {
        Services::connect(&self.target()?).await
    }

    /// Whether people read the answer.
    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    pub(crate) fn print(&self, view: &impl View) -> Result<(), Failure> {
        output::print(self.format, view)
    }

    /// Prints what differs; for people nothing when nothing does.
    pub(crate) fn print_difference(&self, view: &impl View) -> Result<(), Failure> {
        if self.format == Format::Table && view.table().is_empty() {
            return Ok(());
        }
        self.print(view)
    }

    /// Prints what was listed, each item as `read` understands it.
    pub(crate) fn print_list<W, T: Row>(
        &self,
        items: Vec<W>,
        read: impl Fn(W) -> Result<T, Failure>,
    ) -> Result<(), Failure> {
        let items = items.into_iter().map(read).collect::<Result<_, _>>()?;
        self.print(&List { items })
    }

    /// Prints one of many things as they come: a line of the table, or one object a line.
    pub(crate) fn print_line(&self, row: &impl Row, header: bool) -> Result<(), Failure> {
        output::print_line(self.format, row, header)
    }

    /// Prints a thing and the revision that changed it.
    pub(crate) fn print_changed<W, T: View>(
        &self,
        part_name: &str,
        changed: Option<W>,
        revision: u64,
        read: impl Fn(W) -> Result<T, Failure>,
    ) -> Result<(), Failure> {
        let value = read(part(part_name, changed)?)?;
        self.print(&Changed { value, revision })
    }

    /// Prints what was done where nothing is left to show.
    pub(crate) fn print_done(&self, done: String, revision: u64) -> Result<(), Failure> {
        self.print(&Done { done, revision })
    }

    /// A remark for people, when the answer is for people too.
    pub(crate) fn remark(&self, text: &str) {
        if self.format == Format::Table {
            output::remark(text);
        }
    }
}

/// A part of an answer that must be there.
pub(crate) fn part<T>(name: &str, part: Option<T>) -> Result<T, Failure> {
    part.ok_or_else(|| penstock_core::invalid::Invalid::new(name, "is missing").into())
}
