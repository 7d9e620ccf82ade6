//! What callers and providers say to each other: bytes in, bytes out.
//!
//! Knows paths, headers, bodies, answers and streams of the client APIs, and nothing else: no I/O, no async, no clock,
//! no configuration. Everything here is read from bytes of strangers, so nothing may panic, allocate without a bound
//! or take more than linear time.
//!
//! | module | what |
//! |---|---|
//! | [`route`] | path → endpoint and dialect |
//! | [`upstream_path`] | what is wanted → path at a provider |
//! | [`credentials`] | the keys that a request presents |
//! | [`inspect`] | what a request's body asks, in one pass |
//! | [`bound`] | the most that a request can use |
//! | [`client`] | which program sent a request |
//! | [`text`] | the text of a request's body |
//! | [`session`] | which conversation a request belongs to |
//! | [`edit`] | the few changes that Penstock makes to bodies and streams |
//! | [`provider_body`], [`betas`] | Anthropic's body and features at Bedrock and Vertex AI |
//! | [`headers`] | which headers pass, both ways |
//! | [`sse`] | a byte stream → frames |
//! | [`framing`], [`aws`] | streams that are no server-sent events; signatures of requests to AWS |
//! | [`usage`] | what an answer used, and what each frame means |
//! | [`upstream_error`] | the words of a provider's error |
//! | [`mask`] | what must not be shown of it |
//! | [`facts`] | what a failed request was, without its contents |
//! | [`error_shape`] | our own errors, in the caller's dialect |
//! | [`aws`] | signatures and event streams of AWS |
//! | [`translate`] | requests and answers between a caller's dialect and a provider's |
//! | [`models`] | answers of `/v1/models` |

#![warn(missing_docs)]

pub mod aws;
pub mod betas;
pub mod bound;
pub mod client;
pub mod credentials;
mod data;
pub mod edit;
pub mod error_shape;
pub mod facts;
pub mod framing;
pub mod headers;
pub mod inspect;
mod json;
pub mod mask;
pub mod models;
pub mod percent;
pub mod provider_body;
pub mod route;
pub mod session;
pub mod sse;
mod surrogates;
pub mod text;
pub mod translate;
pub mod upstream_error;
pub mod upstream_path;
pub mod usage;

pub use json::Problem;
