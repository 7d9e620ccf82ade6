//! Updates of some fields: `update_mask` (`google.protobuf.FieldMask`), for all services alike.
//!
//! Without a mask an update replaces the whole spec and must carry the version that was read. With one, the fields that it
//! names (`access.tags`) are taken from the given spec and the others stay as they are; a named field that the given spec
//! lacks is cleared. Lists and maps are replaced whole. The merge is made on the version that is there now, so such an update
//! need not name one.

use std::sync::LazyLock;

use penstock_core::invalid::Invalid;
use penstock_store::Expect;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage, Value};
use prost_types::FieldMask;
use tonic::Status;

use super::status::{self, required};

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(penstock_proto::DESCRIPTORS).ok());

/// The update's mask, if it names anything.
pub(super) struct Mask(Vec<String>);

impl Mask {
    pub(super) fn of(mask: Option<FieldMask>) -> Self {
        Self(mask.map(|mask| mask.paths).unwrap_or_default())
    }

    /// The spec as it shall be. `name` is that of its message.
    pub(super) fn spec<T: Message + Default>(
        &self,
        name: &str,
        current: Option<T>,
        given: Option<T>,
    ) -> Result<T, Status> {
        let given = required("spec", given)?;
        if self.0.is_empty() {
            return Ok(given);
        }
        let message = POOL.as_ref().and_then(|pool| pool.get_message_by_name(name));
        let message = message.ok_or_else(|| broken(name))?;
        let (mut merged, given) = (
            reflect(&message, &current.unwrap_or_default())?,
            reflect(&message, &given)?,
        );
        for (path, i) in self.0.iter().zip(0_usize..) {
            copy(&mut merged, Some(&given), path).map_err(|problem| {
                status::invalid(&Invalid::new(format!("update_mask.paths[{i}]"), problem))
            })?;
        }
        T::decode(merged.encode_to_vec().as_slice()).map_err(|_| broken(name))
    }

    /// What the update expects to be there.
    pub(super) fn expect(&self, expected: u64, read: u64) -> Result<Expect, Status> {
        match (expected, self.0.is_empty()) {
            (0, false) => Ok(Expect::Version(read)),
            (version, _) => status::expected_version(version).map(Expect::Version),
        }
    }
}

/// Sets the field of this path to what it is in the other message; nothing there clears it.
fn copy(to: &mut DynamicMessage, from: Option<&DynamicMessage>, path: &str) -> Result<(), String> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let unknown = || format!("{name:?} is no field of {}", to.descriptor().name());
    let field = to.descriptor().get_field_by_name(name).ok_or_else(unknown)?;
    let held = from
        .filter(|from| from.has_field(&field))
        .map(|from| from.get_field(&field));
    let Some(rest) = rest else {
        match held {
            Some(value) => to.set_field(&field, value.into_owned()),
            None => to.clear_field(&field),
        }
        return Ok(());
    };
    if field.is_list() || field.is_map() || field.kind().as_message().is_none() {
        return Err(format!("{name:?} has no fields of its own: name it whole"));
    }
    let inner = held.as_deref().and_then(Value::as_message);
    match to.get_field_mut(&field).as_message_mut() {
        Some(to) => copy(to, inner, rest),
        None => Err(format!("{name:?} has no fields of its own: name it whole")),
    }
}

fn reflect<T: Message>(message: &MessageDescriptor, value: &T) -> Result<DynamicMessage, Status> {
    DynamicMessage::decode(message.clone(), value.encode_to_vec().as_slice())
        .map_err(|_| broken(message.name()))
}

fn broken(name: &str) -> Status {
    Status::internal(format!("{name} cannot be merged; leave the mask out"))
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1::{Access, User};

    use super::*;

    fn user(name: &str, tags: &[&str], expires_at_ms: Option<i64>) -> User {
        let access = Access {
            enabled: true,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            expires_at_ms,
            ..Access::default()
        };
        User {
            name: name.to_owned(),
            access: Some(access),
            ..User::default()
        }
    }

    fn mask(paths: &[&str]) -> Mask {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Mask::of(Some(FieldMask { paths }))
    }

    fn merged(paths: &[&str], current: User, given: User) -> Result<User, Status> {
        mask(paths).spec("penstock.config.v1.User", Some(current), Some(given))
    }

    #[test]
    fn only_what_the_mask_names_changes() {
        let current = || user("alice", &["old"], Some(5));
        let given = || user("bob", &["new"], None);
        assert_eq!(merged(&[], current(), given()).unwrap(), given());
        assert_eq!(
            merged(&["name"], current(), given()).unwrap(),
            user("bob", &["old"], Some(5))
        );
        assert_eq!(
            merged(&["access.tags"], current(), given()).unwrap(),
            user("alice", &["new"], Some(5))
        );
        assert_eq!(
            merged(&["access.expires_at_ms", "name"], current(), given()).unwrap(),
            user("bob", &["old"], None)
        );
        assert_eq!(
            merged(&["access"], current(), User::default()).unwrap().access,
            None
        );
    }

    #[test]
    fn every_spec_that_is_updated_can_be_merged() {
        fn merges<T: Message + Default + PartialEq + std::fmt::Debug>(name: &str, field: &str) {
            let merged = mask(&[field]).spec(name, Some(T::default()), Some(T::default()));
            assert_eq!(merged.unwrap(), T::default(), "{name}");
        }
        use penstock_proto::config::v1 as config;
        merges::<User>("penstock.config.v1.User", "name");
        merges::<config::KeySpec>("penstock.config.v1.KeySpec", "name");
        merges::<config::ProviderSpec>("penstock.config.v1.ProviderSpec", "name");
        merges::<config::Price>("penstock.config.v1.Price", "platform");
        merges::<config::ErrorRule>("penstock.config.v1.ErrorRule", "priority");
        merges::<config::WordRule>("penstock.config.v1.WordRule", "texts");
        merges::<config::RequestFilter>("penstock.config.v1.RequestFilter", "provider");
        merges::<penstock_proto::admin::v1::OperatorSpec>("penstock.admin.v1.OperatorSpec", "name");
    }

    #[test]
    fn a_field_that_is_not_there_is_named() {
        for path in ["nonsense", "name.first", "access.tags.first", "", "access."] {
            let status = merged(&["name", path], user("a", &[], None), user("b", &[], None)).unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument, "{path}");
            assert!(
                status.message().starts_with("update_mask.paths[1]"),
                "{}",
                status.message()
            );
        }
    }

    #[test]
    fn g01_a_whole_update_needs_the_version_and_a_masked_one_takes_that_of_now() {
        assert!(mask(&[]).expect(0, 4).is_err());
        assert_eq!(mask(&[]).expect(3, 4).unwrap(), Expect::Version(3));
        assert_eq!(mask(&["name"]).expect(0, 4).unwrap(), Expect::Version(4));
        assert_eq!(mask(&["name"]).expect(3, 4).unwrap(), Expect::Version(3));
    }
}
