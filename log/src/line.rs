//! One event as one line.

use std::error::Error;
use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::escape::Escaped;

/// A field of this name holds a JSON object on one line, whose members become the line's own.
const MEMBERS: &str = "members";

/// See the crate.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonLine;

/// Writes fields behind those that every line has.
struct Fields<'a, 'w> {
    line: &'a mut Writer<'w>,
    /// The first failure; what comes after it is not written.
    written: fmt::Result,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        line.write_str("{\"time\":\"")?;
        SystemTime.format_time(&mut line)?;
        line.write_str("\",\"level\":\"")?;
        line.write_str(word(*metadata.level()))?;
        line.write_str("\",\"target\":\"")?;
        Escaped(&mut line).write_str(metadata.target())?;
        line.write_char('"')?;
        let mut fields = Fields {
            line: &mut line,
            written: Ok(()),
        };
        event.record(&mut fields);
        fields.written?;
        line.write_str("}\n")
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

impl Fields<'_, '_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.written.is_ok() {
            self.written = self.name(field).and_then(|()| value(self.line));
        }
    }

    fn name(&mut self, field: &Field) -> fmt::Result {
        let name = match field.name() {
            "message" => "msg",
            name => name.strip_prefix("r#").unwrap_or(name),
        };
        self.line.write_str(",\"")?;
        Escaped(self.line).write_str(name)?;
        self.line.write_str("\":")
    }

    /// Of a JSON object; the writer vouches for it.
    fn members(&mut self, object: &str) {
        let inner = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(inner) = inner.filter(|inner| !inner.is_empty())
            && self.written.is_ok()
        {
            self.written = self
                .line
                .write_char(',')
                .and_then(|()| self.line.write_str(inner));
        }
    }

    fn text(&mut self, field: &Field, text: fmt::Arguments<'_>) {
        self.field(field, |line| {
            line.write_char('"')?;
            Escaped(line).write_fmt(text)?;
            line.write_char('"')
        });
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MEMBERS {
            return self.members(value);
        }
        self.text(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |line| write!(line, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, |line| match value.is_finite() {
            true => write!(line, "{value}"),
            false => line.write_str("null"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLine)
            .with_max_level(Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn g14_a_line_has_time_level_and_msg_and_the_fields_by_name() {
        let lines = lines(|| {
            tracing::info!(target: "penstock::call", model = "m", status_code = 200_u16, r#type = "x", "call {}", "ok");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let fields: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["level", "model", "msg", "status_code", "target", "time", "type"]
        );
        assert_eq!(
            (&line["level"], &line["msg"]),
            (&"info".into(), &"call ok".into())
        );
        assert_eq!(
            (&line["status_code"], &line["target"]),
            (&200.into(), &"penstock::call".into())
        );
        let time = line["time"].as_str().unwrap();
        assert!(
            time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T',
            "{time}"
        );
    }

    #[test]
    fn g14_members_become_the_lines_own() {
        let lines = lines(|| {
            tracing::warn!(members = r#"{"a":[1,"x"],"b":null}"#, "m");
            tracing::warn!(members = "{}", "m");
        });
        assert_eq!((&lines[0]["a"][1], &lines[0]["b"]), (&"x".into(), &Value::Null));
        assert_eq!(lines[1].as_object().unwrap().len(), 4);
    }

    #[test]
    fn g14_each_level_has_its_word() {
        let lines = lines(|| {
            tracing::error!("e");
            tracing::warn!("w");
            tracing::info!("i");
            tracing::debug!("d");
            tracing::trace!("t");
        });
        let words: Vec<_> = lines.iter().map(|line| line["level"].as_str().unwrap()).collect();
        assert_eq!(words, ["error", "warn", "info", "debug", "trace"]);
    }

    #[test]
    fn values_keep_their_kind_and_what_is_absent_is_left_out() {
        let error = io::Error::other("broken\n\"pipe\"");
        let lines = lines(|| {
            tracing::info!(
                %error,
                debug = ?Some(1),
                yes = true,
                minus = -1_i64,
                part = 0.5,
                nan = f64::NAN,
                none = None::<u32>,
                source = &error as &(dyn Error + 'static),
            );
        });
        let line = &lines[0];
        assert_eq!(line["error"], "broken\n\"pipe\"");
        assert_eq!(line["source"], line["error"]);
        assert_eq!(line["debug"], "Some(1)");
        assert_eq!(
            (&line["yes"], &line["minus"], &line["part"]),
            (&true.into(), &(-1).into(), &0.5.into())
        );
        assert!(line["nan"].is_null() && line.get("none").is_none() && line.get("msg").is_none());
    }
}
