//! Single values: as files write them, and as the protocol carries them.

use penstock_core::money::{Millionths, NanoUsd, PicoUsd};
use penstock_core::provider::{ActiveHours, TimeOfDay};
use penstock_core::time::UnixMs;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::form::{self, Form};
use super::problem::hint;
use crate::args::client::{self, Client};
use crate::args::duration::Millis;
use crate::args::moment::Expiry;
use crate::args::pattern::{self, Pattern};
use crate::args::rate;

/// Reads the text of a value that is no text itself. The problem says what is expected.
pub(super) fn read(form: &Form, field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    match form {
        Form::Bool | Form::Mark => boolean(form, field, text),
        Form::Text | Form::Secret => Ok(Value::String(text.to_owned())),
        Form::Number => number(field, text, || format!("{text:?} is not a whole number")),
        Form::Word(of) => {
            let words = form::words(of);
            let spelled = text.replace('-', "_");
            let found = words.iter().find(|(word, _)| word.replace('-', "_") == spelled);
            let known: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
            let number = found.map(|(_, number)| Value::EnumNumber(*number));
            number.ok_or_else(|| format!("{text:?} is not known here{}", hint(text, &known)))
        }
        Form::Duration => {
            let Millis(ms) = text.parse().map_err(said)?;
            Ok(Value::U64(ms))
        }
        Form::Seconds => {
            let Millis(ms) = text.parse().map_err(said)?;
            let whole = ms.is_multiple_of(1000).then_some(ms / 1000);
            let seconds = whole.and_then(|seconds| u32::try_from(seconds).ok());
            let problem =
                || format!("{text:?} is not a length of time in whole seconds; write it as 90s or 5m");
            seconds.map(Value::U32).ok_or_else(problem)
        }
        Form::Instant => match text.parse() {
            Ok(Expiry::At(at)) => Ok(Value::I64(at.0)),
            Ok(Expiry::Never | Expiry::In(_)) | Err(_) => Err(format!(
                "{text:?} is not a time; write 2026-12-31T00:00:00Z, or a date, which begins at 00:00 UTC"
            )),
        },
        Form::Usd => {
            let NanoUsd(nano) = text.parse().map_err(said)?;
            number(field, &nano.to_string(), || {
                format!("{text:?} is not an amount of USD that is not negative")
            })
        }
        Form::UsdPerMillion => {
            let PicoUsd(pico) = rate::per_million(text).map_err(said)?;
            Ok(Value::U64(pico))
        }
        Form::Factor => {
            let Millionths(millionths) = text.parse().map_err(said)?;
            Ok(Value::U32(millionths))
        }
        Form::TimeOfDay => {
            let time: TimeOfDay = text.parse().map_err(said)?;
            Ok(Value::U32(time.minute().into()))
        }
        Form::Pattern => {
            let Pattern(pattern) = text.parse().map_err(said)?;
            message(field, &convert::pattern_to_wire(&pattern))
        }
        Form::Client => {
            let Client(client) = text.parse().map_err(said)?;
            message(field, &convert::client_to_wire(&client))
        }
        Form::Hours => {
            let hours: ActiveHours = text.parse().map_err(said)?;
            message(field, &convert::hours_to_wire(&hours))
        }
        Form::Message(_) | Form::Map(_) => Err("must be a mapping".to_owned()),
    }
}

fn said(error: impl ToString) -> String {
    error.to_string()
}

fn boolean(form: &Form, field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    match (form, text) {
        (Form::Mark, "true") => {
            let of = field.kind().as_message().cloned();
            let of = of.ok_or("cannot be read by this release")?;
            Ok(Value::Message(DynamicMessage::new(of)))
        }
        (Form::Mark, _) => Err(format!("{text:?} is not true; leave it out otherwise")),
        (_, "true") => Ok(Value::Bool(true)),
        (_, "false") => Ok(Value::Bool(false)),
        (_, _) => Err(format!("{text:?} is neither true nor false")),
    }
}

fn number(field: &FieldDescriptor, text: &str, problem: impl Fn() -> String) -> Result<Value, String> {
    // A field's default is of the field's type.
    let read = match (Value::default_value(&field.kind()), text) {
        (Value::U32(_), _) => text.parse().map(Value::U32).ok(),
        (Value::U64(_), _) => text.parse().map(Value::U64).ok(),
        (Value::I32(_), _) => text.parse().map(Value::I32).ok(),
        (Value::I64(_), _) => text.parse().map(Value::I64).ok(),
        (_, _) => None,
    };
    read.ok_or_else(problem)
}

fn message(field: &FieldDescriptor, wire: &impl Message) -> Result<Value, String> {
    let broken = || "cannot be read by this release".to_owned();
    let Kind::Message(of) = field.kind() else {
        return Err(broken());
    };
    let mut message = DynamicMessage::new(of);
    message.transcode_from(wire).map_err(|_| broken())?;
    Ok(Value::Message(message))
}

/// A value as files write it, and whether it is a text, which may need quotes. None: it is a message.
pub(super) fn write(form: &Form, value: &Value) -> Option<(String, bool)> {
    let bare = |text: String| Some((text, false));
    match (form, value) {
        (Form::Mark, _) => bare("true".to_owned()),
        (Form::Usd, Value::U64(nano)) => bare(NanoUsd(i64::try_from(*nano).unwrap_or(i64::MAX)).to_string()),
        (Form::Usd, Value::I64(nano)) => bare(NanoUsd(*nano).to_string()),
        (Form::UsdPerMillion, Value::U64(pico)) => bare(rate::write_usd(PicoUsd(*pico))),
        (Form::Factor, Value::U32(millionths)) => bare(Millionths(*millionths).to_string()),
        (Form::Duration, Value::U64(ms)) => bare(duration(*ms)),
        (Form::Seconds, Value::U32(seconds)) => bare(duration(u64::from(*seconds) * 1000)),
        (Form::Instant, Value::I64(ms)) => bare(UnixMs(*ms).to_string()),
        (Form::TimeOfDay, Value::U32(minute)) => {
            let time = u16::try_from(*minute).ok().and_then(TimeOfDay::new)?;
            // Other readers of YAML take it for a number of minutes.
            bare(format!("\"{time}\""))
        }
        (Form::Word(of), Value::EnumNumber(number)) => {
            let words = form::words(of);
            let found = words.into_iter().find(|(_, known)| known == number);
            Some((found.map_or_else(|| number.to_string(), |(word, _)| word), true))
        }
        (Form::Pattern, Value::Message(message)) => {
            let wire: config::ModelPattern = message.transcode_to().ok()?;
            let read = convert::pattern_from_wire("pattern", Some(wire)).ok()?;
            Some((pattern::write(&read), true))
        }
        (Form::Client, Value::Message(message)) => {
            let read = convert::client_from_wire("client", message.transcode_to().ok()?).ok()?;
            Some((client::write(&read), true))
        }
        (Form::Hours, Value::Message(message)) => {
            let read = convert::hours_from_wire(message.transcode_to().ok()?).ok()?;
            Some((read.to_string(), true))
        }
        (_, Value::Bool(on)) => bare(on.to_string()),
        (_, Value::U32(number)) => bare(number.to_string()),
        (_, Value::U64(number)) => bare(number.to_string()),
        (_, Value::I32(number)) => bare(number.to_string()),
        (_, Value::I64(number)) => bare(number.to_string()),
        (_, Value::String(text)) => Some((text.clone(), true)),
        (_, _) => None,
    }
}

/// In the largest unit that divides it.
fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    if ms == 0 {
        return "0".to_owned();
    }
    let unit = UNITS.iter().find(|(unit, _)| ms.is_multiple_of(*unit));
    match unit {
        Some((unit, letter)) => format!("{}{letter}", ms / unit),
        None => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g04_a_length_of_time_is_written_as_it_is_read() {
        for (ms, text) in [
            (0, "0"),
            (250, "250ms"),
            (90_000, "90s"),
            (7_200_000, "2h"),
            (86_400_000, "1d"),
        ] {
            assert_eq!(duration(ms), text);
            assert_eq!(text.parse(), Ok(Millis(ms)));
        }
    }
}
