//! The master key: names and numbers, never the key.

use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{View, fields, rows, yes_no};

#[derive(Debug, Serialize)]
pub(crate) struct MasterKey {
    /// Names the present key.
    key_id: String,
    sealed: Vec<Sealed>,
}

#[derive(Debug, Serialize)]
struct Sealed {
    key_id: String,
    values: u64,
    /// The control plane has the key.
    known: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct MasterKeyRotated {
    key_id: String,
    resealed: u64,
    /// Other keys that are needed no more.
    forgotten: u64,
}

impl MasterKey {
    pub(crate) fn read(answer: wire::ShowMasterKeyResponse) -> Self {
        let sealed = answer.sealed.into_iter().map(|sealed| Sealed {
            key_id: sealed.key_id,
            values: sealed.values,
            known: sealed.known,
        });
        Self {
            key_id: answer.key_id,
            sealed: sealed.collect(),
        }
    }
}

impl MasterKeyRotated {
    pub(crate) fn read(answer: wire::RotateMasterKeyResponse) -> Self {
        Self {
            key_id: answer.key_id,
            resealed: answer.resealed,
            forgotten: answer.forgotten,
        }
    }
}

impl View for MasterKey {
    fn table(&self) -> String {
        let cells = self.sealed.iter().map(|sealed| {
            vec![
                sealed.key_id.clone(),
                sealed.values.to_string(),
                yes_no(sealed.known),
            ]
        });
        format!(
            "present key: {}\n\n{}",
            self.key_id,
            rows(&["KEY", "VALUES", "HERE"], cells)
        )
    }
}

impl View for MasterKeyRotated {
    fn table(&self) -> String {
        fields(&[
            ("present key", self.key_id.clone()),
            ("sealed anew", self.resealed.to_string()),
            ("other keys forgotten", self.forgotten.to_string()),
        ])
    }
}
