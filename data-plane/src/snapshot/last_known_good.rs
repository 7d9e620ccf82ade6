//! The last known good configuration, on disk: what a node starts with while its control plane is away.
//!
//! *Content.* One file: a base (everything in force), then the changes applied since, each with the moment it was
//! written. When the changes outgrow the base, a new base is written beside the file and renamed over it. Reading it
//! gives the snapshot that was in force, refusals included.
//!
//! *Sealing.* The configuration holds providers' credentials. Each record is sealed with XChaCha20-Poly1305 under a
//! key derived (HKDF-SHA256) from the seal key file, else the node token, else the TLS key; its place in the file is
//! part of what is authenticated, so no record can be dropped from the middle, moved or taken from another file.
//! Whoever can write to the directory can still cut the end off or put an older file back. Without a key nothing is
//! written, and a warning says so.
//!
//! *Reading.* A torn or damaged end is cut, back to the last change that is whole. A file whose base cannot be read
//! (another key, damage) counts as absent, with a warning.
//!
//! *Writing* happens after the update is in force and acknowledged. It may fail (a full disk): the node serves on, says
//! so, and writes a new base with the next change.

mod content;
mod layout;
mod seal;
mod store;

#[cfg(test)]
mod tests;

pub(crate) use store::LastKnownGood;
