//! W3C trace context: what a caller says of its trace, what a provider may be told.
//!
//! A `traceparent` that is not well formed counts as none: a trace begins here, under the id that the failure log has
//! for the call. `tracestate` goes with it untouched; without it, it means nothing.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::SampleRatio;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// A longer one is left out, as W3C allows: it would be in every span of the call.
const MAX_STATE: usize = 512;
/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;
/// Its odd part spreads attempts' ids.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The trace that a call is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) id: [u8; 16],
    /// The caller's span.
    pub(crate) parent: Option<[u8; 8]>,
    /// The call's own.
    pub(crate) span: [u8; 8],
    pub(crate) sampled: bool,
    pub(crate) state: Option<HeaderValue>,
}

/// What a `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

impl Trace {
    /// Of a call with these headers. `own`: the trace's id where it begins here; `span`: random; `sample`: None where
    /// nothing is exported. What the caller says of its trace holds in any case, since its provider may be told the same.
    pub(crate) fn begin(headers: &HeaderMap, own: [u8; 16], span: u64, sample: Option<SampleRatio>) -> Self {
        let parent = Parent::of(headers);
        let id = parent.map_or(own, |parent| parent.trace);
        let keeps = || sample.is_some_and(|ratio| ratio.keeps(id));
        let sampled = parent.map_or_else(keeps, |parent| parent.sampled);
        Self {
            id,
            parent: parent.map(|parent| parent.span),
            span: span.max(1).to_be_bytes(),
            sampled,
            state: parent
                .and_then(|_| headers.get(TRACESTATE))
                .filter(|state| state.len() <= MAX_STATE)
                .cloned(),
        }
    }

    /// The span of the attempt of this number.
    pub(crate) fn attempt(&self, number: usize) -> [u8; 8] {
        let number = u64::try_from(number).unwrap_or(u64::MAX).wrapping_add(1);
        let id = u64::from_be_bytes(self.span).wrapping_add(number.wrapping_mul(STEP));
        id.max(1).to_be_bytes()
    }

    /// Tells a provider the trace. `exported`: whether this node's spans are; where they are not, the provider's parent is
    /// the caller's span, so that no span is missing between them.
    pub(crate) fn tell(&self, headers: &mut HeaderMap, attempt: usize, exported: bool) {
        let span = match self.parent {
            Some(parent) if !exported => parent,
            Some(_) | None => self.attempt(attempt),
        };
        let flags = u8::from(self.sampled);
        let text = format!("00-{}-{}-{flags:02x}", hex::encode(self.id), hex::encode(span));
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(TRACEPARENT, value);
        }
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

impl Parent {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(TRACEPARENT)?.to_str().ok()?.trim();
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = digits::<1>(version)?;
        // Later versions may say more; this one may not.
        if version == 0xff || (version == 0 && text.len() != LENGTH) {
            return None;
        }
        let [flags] = digits::<1>(flags)?;
        let (trace, span) = (digits::<16>(trace)?, digits::<8>(span)?);
        (trace != [0; 16] && span != [0; 8]).then_some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// So many bytes as lower-case hexadecimal digits.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn with(traceparent: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, traceparent.parse().unwrap());
        headers.insert(TRACESTATE, HeaderValue::from_static("vendor=1"));
        headers
    }

    fn ratio(text: &str) -> Option<SampleRatio> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn g07_the_callers_trace_is_the_parent_and_says_whether_it_is_kept() {
        let trace = Trace::begin(&with(GOOD), [1; 16], 9, ratio("0"));
        assert_eq!(hex::encode(trace.id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex::encode(trace.parent.unwrap()), "b7ad6b7169203331");
        assert!(trace.sampled);
        assert_eq!(trace.state, Some(HeaderValue::from_static("vendor=1")));
        let dropped = GOOD.replace("-01", "-00");
        assert!(!Trace::begin(&with(&dropped), [1; 16], 9, ratio("1")).sampled);
        assert!(
            Trace::begin(&with(GOOD), [1; 16], 9, None).sampled,
            "the caller's word"
        );
        assert!(!Trace::begin(&HeaderMap::new(), [1; 16], 9, None).sampled);
    }

    #[test]
    fn g07_a_state_that_is_too_long_is_left_out_and_the_trace_stays() {
        let mut headers = with(GOOD);
        headers.insert(TRACESTATE, "x".repeat(MAX_STATE + 1).parse().unwrap());
        let trace = Trace::begin(&headers, [1; 16], 9, None);
        assert_eq!((trace.state, trace.parent.is_some()), (None, true));
    }

    #[test]
    fn g07_a_header_that_is_not_well_formed_counts_as_none() {
        for bad in [
            "",
            "00-1-1-00",
            &GOOD.to_uppercase(),
            &GOOD.replace("00-0", "ff-0"),
            &format!("{GOOD}-more"),
            &GOOD.replace("b7ad6b7169203331", "0000000000000000"),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
        ] {
            let trace = Trace::begin(&with(bad), [1; 16], 9, ratio("1"));
            assert_eq!(
                (trace.id, trace.parent, &trace.state),
                ([1; 16], None, &None),
                "{bad}"
            );
            assert!(trace.sampled);
        }
        let later = format!("cc{}-more", GOOD.strip_prefix("00").unwrap());
        assert!(Trace::begin(&with(&later), [1; 16], 9, None).parent.is_some());
    }

    #[test]
    fn g07_a_provider_gets_the_span_that_is_its_parent() {
        let trace = Trace::begin(&with(GOOD), [1; 16], 9, ratio("1"));
        let mut told = HeaderMap::new();
        trace.tell(&mut told, 0, true);
        let attempt = hex::encode(trace.attempt(0));
        assert_eq!(
            told[TRACEPARENT],
            format!("00-{}-{attempt}-01", hex::encode(trace.id))
        );
        assert_ne!(trace.attempt(0), trace.attempt(1));
        let trace = Trace::begin(&with(GOOD), [1; 16], 9, None);
        trace.tell(&mut told, 0, false);
        assert_eq!(told[TRACEPARENT], GOOD);
    }
}
