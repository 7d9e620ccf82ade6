//! What a dry run gives, so that what is restored is what was checked.
//!
//! It is sealed, so nobody but a holder of the master key can make one, and every replica can read it: the dry run and
//! the restore may meet different ones.

use penstock_core::backup::Mark;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::Sealed;
use serde::{Deserialize, Serialize};

use crate::credentials::{Field, SealError, Sealer};

const GOOD_FOR_MS: u64 = 3_600_000;

/// Which backup was checked, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) configuration: Mark,
    pub(super) end: Mark,
    pub(super) at: UnixMs,
}

impl Ticket {
    pub(super) fn write(&self, sealer: &Sealer) -> Result<String, SealError> {
        let text = serde_json::to_string(self).unwrap_or_default();
        let sealed = sealer.seal_as(&place(), Field::Ticket, &Secret::new(text), String::new())?;
        Ok(hex::encode(sealed.ciphertext))
    }

    /// None: it is no ticket of this installation, or too old.
    pub(super) fn read(text: &str, sealer: &Sealer, now: UnixMs) -> Option<Self> {
        let sealed = Sealed {
            key_id: sealer.key_id().to_owned(),
            ciphertext: hex::decode(text).ok()?,
            hint: String::new(),
        };
        let plain = sealer.unseal(&place(), Field::Ticket, &sealed).ok()?;
        // No secret; it only had to be sealed.
        let ticket: Self = serde_json::from_str(plain.expose()).ok()?;
        (now < ticket.at.plus_ms(GOOD_FOR_MS)).then_some(ticket)
    }
}

/// Nothing is stored there.
fn place() -> ResourceRef {
    ResourceRef::Setting("backup".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::MasterKey;

    #[test]
    fn g05_a_ticket_is_good_for_an_hour_and_for_one_installation() {
        let sealer = |byte| Sealer::new(&MasterKey::from_bytes([byte; 32])).ok().unwrap();
        let mark = |lines| Mark {
            lines,
            sha256: "00".to_owned(),
        };
        let ticket = Ticket {
            configuration: mark(1),
            end: mark(2),
            at: UnixMs(1_000),
        };
        let text = ticket.write(&sealer(1)).unwrap();
        assert_eq!(Ticket::read(&text, &sealer(1), UnixMs(2_000)), Some(ticket));
        assert_eq!(Ticket::read(&text, &sealer(1), UnixMs(3_601_001)), None);
        assert_eq!(Ticket::read(&text, &sealer(2), UnixMs(2_000)), None);
        assert_eq!(Ticket::read("", &sealer(1), UnixMs(2_000)), None);
    }
}
