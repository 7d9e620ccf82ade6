//! The configuration as files: YAML in, YAML out, and the schema of it for editors.
//!
//! ```yaml
//! apiVersion: penstock/v1
//! kind: Provider
//! name: main
//! spec:
//!   kind: anthropic
//!   base_urls: [https://api.anthropic.com]
//!   timeouts: {first_byte: 30s}
//!   credential: {api_key: "${env:ANTHROPIC_API_KEY}"}
//! ```
//!
//! Nothing here knows a resource's fields: they are those of the protocol ([`form`] says how each is written), so what the
//! protocol can say, files can. Reading ([`read`]) starts from a new resource's defaults ([`base`]) and writing ([`mod@write`])
//! leaves them out. Everything that is wrong with all files is told at once ([`problem`]), each with its file and line.

pub(crate) mod base;
mod documents;
pub(crate) mod files;
mod form;
mod message;
pub(crate) mod problem;
pub(crate) mod read;
mod reference;
mod scalar;
pub(crate) mod schema;
mod tree;
pub(crate) mod write;
mod yaml;

use std::sync::LazyLock;

use penstock_core::resource::Kind;
use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The form of files that this release reads and writes.
pub(crate) const API_VERSION: &str = "penstock/v1";

/// What the protocol says. None only if the program was built wrongly.
static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(penstock_proto::DESCRIPTORS).ok());

/// A message of the protocol.
fn descriptor(name: &str) -> Option<MessageDescriptor> {
    POOL.as_ref()?.get_message_by_name(name)
}

/// The message that a kind's `spec` is written from.
fn spec_of(kind: Kind) -> Option<MessageDescriptor> {
    let manifest = descriptor("penstock.admin.v1.Manifest")?;
    let field = manifest.get_field_by_name(kind.as_str())?;
    field.kind().as_message().cloned()
}

/// As files call a kind.
pub(crate) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Provider => "Provider",
        Kind::User => "User",
        Kind::Key => "Key",
        Kind::Price => "Price",
        Kind::Setting => "Setting",
        Kind::ImportSuffix => "ImportSuffix",
        Kind::ErrorRule => "ErrorRule",
        Kind::WordRule => "WordRule",
        Kind::RequestFilter => "RequestFilter",
    }
}

/// The names of settings, which are the cases of the protocol's message.
fn settings() -> Vec<String> {
    let setting = spec_of(Kind::Setting);
    let fields = setting.iter().flat_map(MessageDescriptor::fields);
    fields.map(|field| field.name().to_owned()).collect()
}

#[cfg(test)]
mod tests;
