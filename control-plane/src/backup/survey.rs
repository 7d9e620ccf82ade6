//! Which master keys a backup needs, and which of its secrets nobody here can open: known before its first line.
//!
//! A standard backup takes ciphertexts along, so it could be made without opening one, and that one cannot be opened would
//! come out when the backup is needed. So each is tried while something can be done about it. What cannot be opened goes
//! along as it is sealed and comes back as it was: one damaged credential is no reason for having no backup, nor for
//! refusing one. Whoever makes the backup is told of each, and what to do.

use std::collections::{BTreeSet, VecDeque};

use penstock_core::resource::ResourceRef;
use penstock_store::{Sealed, Stored, StoredSpec};

use super::held::Held;
use super::secret::Place;
use super::{resource, token};
use crate::credentials::{Field, Sealer, UnsealError};

/// So many are named.
const NAMED: usize = 50;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Under which a secret of the backup was opened.
    keys: BTreeSet<String>,
    /// The first ones that were not.
    named: Vec<String>,
    unopened: usize,
}

impl Survey {
    pub(super) fn of(sealer: &Sealer, resources: &VecDeque<Stored>, held: &VecDeque<Held>) -> Self {
        let mut survey = Self::default();
        for stored in resources {
            for (name, field, sealed) in resource::secrets(&stored.spec) {
                let what = || format!("the {} of {}", name.replace('_', " "), label(stored));
                survey.look(sealer, what, Place::Resource(&stored.reference, field), sealed);
            }
        }
        for held in held {
            let whose = held.label();
            match held {
                Held::Token(id, provider) => {
                    let place = ResourceRef::Provider(*id);
                    let place = Place::Resource(&place, Field::Token);
                    if let Some(token) = token::worth_taking(provider) {
                        survey.look(
                            sealer,
                            || format!("the access token of {whose}"),
                            place,
                            &token.sealed,
                        );
                    }
                }
                Held::Webhook(webhook) => {
                    let place = Place::Webhook(webhook.id);
                    survey.look(sealer, || format!("the URL of {whose}"), place, &webhook.sealed);
                }
                Held::Operator(_) => {}
            }
        }
        survey
    }

    fn look(&mut self, sealer: &Sealer, what: impl Fn() -> String, place: Place<'_>, sealed: &Sealed) {
        let problem = match place.unseal(sealer, sealed) {
            Ok(_) => {
                self.keys.insert(sealed.key_id.clone());
                return;
            }
            Err(UnsealError::OtherKey { sealed_with, .. }) => format!(
                "is sealed under master key {sealed_with}, which is not here. Start the control planes with that key too \
                 (--other-master-key-file) or give it anew, then make another backup"
            ),
            Err(UnsealError::Tampered) => {
                "cannot be opened: it was changed in the database. Give it anew, then make another backup"
                    .to_owned()
            }
        };
        self.unopened += 1;
        if self.named.len() < NAMED {
            self.named.push(format!("{} {problem}", what()));
        }
    }

    /// Beside the present one.
    pub(super) fn other_keys(&self, present: &str) -> Vec<String> {
        self.keys.iter().filter(|key| *key != present).cloned().collect()
    }

    pub(super) fn is_well(&self) -> bool {
        self.unopened == 0
    }

    /// For whoever makes the backup.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = self.named.clone();
        let more = self.unopened - self.named.len();
        if more > 0 {
            remarks.push(format!("{more} more secrets cannot be opened"));
        }
        remarks
    }
}

/// As operators call it.
fn label(stored: &Stored) -> String {
    match &stored.spec {
        StoredSpec::Provider(stored) => format!("provider {:?}", stored.provider.name),
        StoredSpec::ImportSuffix(_)
        | StoredSpec::User(_)
        | StoredSpec::Key(_)
        | StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => stored.reference.to_string().replace('_', " "),
    }
}
