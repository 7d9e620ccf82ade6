//! The headers of a message: a name, a type and a value, one after the other.

use bytes::{Buf, Bytes};

use super::Broken;

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// As in `:event-type`.
    pub name: String,
    /// With its type.
    pub value: Value,
}

/// A header's value, in each of the ten forms that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Value {
    Bool(bool),
    Byte(i8),
    Short(i16),
    Int(i32),
    Long(i64),
    Bytes(Bytes),
    Text(String),
    TimestampMs(i64),
    Uuid([u8; 16]),
}

/// Reads all of them.
pub(super) fn parse(mut rest: Bytes) -> Result<Vec<Header>, Broken> {
    let mut headers = Vec::new();
    while !rest.is_empty() {
        headers.push(one(&mut rest).ok_or(Broken::Headers)?);
    }
    Ok(headers)
}

/// None: it ends too early or has a type that does not exist.
fn one(rest: &mut Bytes) -> Option<Header> {
    let length = usize::from(rest.try_get_u8().ok()?);
    let name = text(take(rest, length)?)?;
    if name.is_empty() {
        return None;
    }
    let value = match rest.try_get_u8().ok()? {
        0 => Value::Bool(true),
        1 => Value::Bool(false),
        2 => Value::Byte(rest.try_get_i8().ok()?),
        3 => Value::Short(rest.try_get_i16().ok()?),
        4 => Value::Int(rest.try_get_i32().ok()?),
        5 => Value::Long(rest.try_get_i64().ok()?),
        6 => Value::Bytes(counted(rest)?),
        7 => Value::Text(text(counted(rest)?)?),
        8 => Value::TimestampMs(rest.try_get_i64().ok()?),
        9 => Value::Uuid(take(rest, 16)?.as_ref().try_into().ok()?),
        _ => return None,
    };
    Some(Header { name, value })
}

/// A length in two bytes, then as many.
fn counted(rest: &mut Bytes) -> Option<Bytes> {
    let length = usize::from(rest.try_get_u16().ok()?);
    take(rest, length)
}

fn take(rest: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= rest.len()).then(|| rest.split_to(length))
}

fn text(bytes: Bytes) -> Option<String> {
    String::from_utf8(bytes.into()).ok()
}
