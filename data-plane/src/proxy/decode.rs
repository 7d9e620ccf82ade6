//! Request bodies with a `Content-Encoding` (behaviour C5).
//!
//! gzip, deflate, br and zstd are decoded, one of them at a time; anything else is 415. The decoded size is bounded
//! like that of a plain body and counts against the same budget, piece by piece, so that a small body cannot unfold
//! into much memory. Windows are bounded too: 8 MB for zstd as HTTP asks for, 16 MB for brotli.
//!
//! Decoding takes milliseconds of CPU and runs beside the request path.

use std::io::{self, Read};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor};

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use penstock_core::error::Code;

use super::body::{Received, no_memory, too_large};
use super::error::Refusal;

const PIECE: usize = 64 * 1024;
/// 8 MB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// What the request says. None: not encoded.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    let mut found = None;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let text = value.to_str().map_err(|_| unsupported("in this header"))?;
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let coding = match name.to_ascii_lowercase().as_str() {
                "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "br" => Coding::Brotli,
                "zstd" => Coding::Zstd,
                _ => return Err(unsupported("named here")),
            };
            if found.replace(coding).is_some() {
                return Err(unsupported("of several steps"));
            }
        }
    }
    Ok(found)
}

/// Decodes a body to at most `max` bytes.
pub(super) async fn decode(coding: Coding, encoded: Received, max: usize) -> Result<Received, Refusal> {
    let decoding = tokio::task::spawn_blocking(move || unfold(coding, encoded, max));
    match decoding.await {
        Ok(decoded) => decoded,
        Err(died) => {
            let refusal = Refusal::new(Code::InternalError, "The request body could not be decoded.");
            Err(refusal.because(died.to_string()))
        }
    }
}

fn unfold(coding: Coding, encoded: Received, max: usize) -> Result<Received, Refusal> {
    let Received {
        bytes,
        mut reservation,
    } = encoded;
    let mut decoder = decoder(coding, &bytes).map_err(|error| broken(coding, &error))?;
    let mut decoded = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(coding, &error)),
        };
        if decoded.len() + length > max {
            return Err(too_large(max));
        }
        reservation.grow(length).map_err(|_| no_memory())?;
        decoded.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
    reservation.shrink_to(decoded.len());
    Ok(Received {
        bytes: decoded.into(),
        reservation,
    })
}

fn decoder<'a>(coding: Coding, bytes: &'a Bytes) -> io::Result<Box<dyn Read + 'a>> {
    let input: &[u8] = bytes;
    Ok(match coding {
        Coding::Gzip => Box::new(MultiGzDecoder::new(input)),
        // The name means zlib; some clients send the bare stream.
        Coding::Deflate if is_zlib(input) => Box::new(ZlibDecoder::new(input)),
        Coding::Deflate => Box::new(DeflateDecoder::new(input)),
        Coding::Brotli => {
            let mut decoder = Decompressor::new(input, PIECE);
            decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
            Box::new(decoder)
        }
        Coding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}

fn is_zlib(input: &[u8]) -> bool {
    match input {
        [first, second, ..] => first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0,
        _ => false,
    }
}

fn unsupported(which: &str) -> Refusal {
    let message =
        format!("The Content-Encoding {which} is not supported: send gzip, br, zstd, deflate or none.");
    Refusal::new(Code::UnsupportedEncoding, message)
}

fn broken(coding: Coding, error: &io::Error) -> Refusal {
    let message = format!("The request body is not valid {}.", coding.as_str());
    Refusal::new(Code::InvalidRequest, message).because(error.to_string())
}

impl Coding {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;
    use flate2::Compression;
    use http::HeaderValue;
    use std::io::Write;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(value))])
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn received(bytes: Vec<u8>, budget: &Budget) -> Received {
        let mut reservation = budget.reservation();
        reservation.grow(bytes.len()).unwrap();
        Received {
            bytes: bytes.into(),
            reservation,
        }
    }

    fn decoded(coding: Coding, bytes: Vec<u8>, max: usize, memory: usize) -> Result<Bytes, Code> {
        let encoded = received(bytes, &Budget::new(memory));
        unfold(coding, encoded, max)
            .map(|decoded| decoded.bytes)
            .map_err(|refusal| refusal.error.code)
    }

    #[test]
    fn c05_each_known_encoding_is_decoded() {
        let text = "Über allen Gipfeln ist Ruh. ".repeat(100).into_bytes();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&text).unwrap();
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
        bare.write_all(&text).unwrap();
        let cases = [
            (Coding::Gzip, gzip(&text)),
            (Coding::Gzip, [gzip(b""), gzip(&text)].concat()),
            (Coding::Deflate, zlib.finish().unwrap()),
            (Coding::Deflate, bare.finish().unwrap()),
            (Coding::Zstd, zstd::encode_all(&text[..], 3).unwrap()),
        ];
        for (coding, bytes) in cases {
            assert_eq!(
                decoded(coding, bytes, 1 << 20, 1 << 20).unwrap(),
                text,
                "{coding:?}"
            );
        }
    }

    #[test]
    fn c05_brotli_is_decoded() {
        // "hello" as one uncompressed block.
        let bytes = vec![0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        assert_eq!(decoded(Coding::Brotli, bytes, 100, 100).unwrap(), "hello");
    }

    #[test]
    fn c05_a_small_body_cannot_unfold_beyond_the_limit() {
        let bomb = gzip(&vec![b' '; 1 << 20]);
        assert!(bomb.len() < 10_000);
        assert_eq!(
            decoded(Coding::Gzip, bomb.clone(), 1 << 19, 1 << 21),
            Err(Code::RequestTooLarge)
        );
        assert_eq!(
            decoded(Coding::Gzip, bomb, 1 << 20, 1 << 19),
            Err(Code::Overloaded)
        );
    }

    #[test]
    fn c05_a_zstd_window_beyond_8_mb_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(26).unwrap();
        encoder.write_all(&vec![b'x'; 100_000]).unwrap();
        let bytes = encoder.finish().unwrap();
        assert_eq!(
            decoded(Coding::Zstd, bytes, 1 << 20, 1 << 20),
            Err(Code::InvalidRequest)
        );
    }

    #[test]
    fn c05_what_is_cut_or_not_encoded_is_refused() {
        let whole = gzip(b"some text that is long enough");
        let cut = whole[..whole.len() - 9].to_vec();
        for (coding, bytes) in [
            (Coding::Gzip, cut),
            (Coding::Gzip, b"{}".to_vec()),
            (Coding::Deflate, b"{\"a\":1}".to_vec()),
            (Coding::Brotli, b"{\"a\":1}".to_vec()),
            (Coding::Zstd, b"{\"a\":1}".to_vec()),
        ] {
            assert_eq!(
                decoded(coding, bytes, 1000, 1000),
                Err(Code::InvalidRequest),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn c05_unknown_and_repeated_encodings_are_415() {
        assert_eq!(coding(&HeaderMap::new()), Ok(None));
        assert_eq!(coding(&headers("identity")), Ok(None));
        assert_eq!(coding(&headers("GZIP")), Ok(Some(Coding::Gzip)));
        for value in ["compress", "gzip, br", "gzip, gzip"] {
            let code = coding(&headers(value)).unwrap_err().error.code;
            assert_eq!(code, Code::UnsupportedEncoding, "{value}");
        }
    }
}
