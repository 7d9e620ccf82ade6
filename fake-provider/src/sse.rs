//! Server-sent events as bytes.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

/// `event: name` and one line of JSON.
pub(crate) fn named(name: &str, data: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    let mut out = BytesMut::with_capacity(256);
    out.put_slice(b"event: ");
    out.put_slice(name.as_bytes());
    out.put_u8(b'\n');
    finish(out, data)
}

/// One line of JSON without a name.
pub(crate) fn unnamed(data: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    finish(BytesMut::with_capacity(256), data)
}

fn finish(mut out: BytesMut, data: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    out.put_slice(b"data: ");
    let mut writer = out.writer();
    serde_json::to_writer(&mut writer, data)?;
    let mut out = writer.into_inner();
    out.put_slice(b"\n\n");
    Ok(out.freeze())
}

/// One line of JSON as Google sends it: with carriage returns.
pub(crate) fn of_google(data: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    let mut out = BytesMut::with_capacity(256);
    out.put_slice(b"data: ");
    let mut writer = out.writer();
    serde_json::to_writer(&mut writer, data)?;
    let mut out = writer.into_inner();
    out.put_slice(b"\r\n\r\n");
    Ok(out.freeze())
}
