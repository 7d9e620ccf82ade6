//! Settings: those that were set, and the defaults of the others.

use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_proto::admin::v1::SettingEntry;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_store::{Expect, NewSpec, Op, Put, Store, StoredSpec};
use tonic::Status;

use crate::admin::names;
use crate::admin::provider::expect_or_any;
use crate::admin::status::{self, required};

/// Every setting of this release, by name.
pub(super) async fn list(store: &dyn Store) -> Result<Vec<SettingEntry>, Status> {
    let mut entries = Vec::new();
    for default in Setting::defaults() {
        let name = default.name();
        let stored = names::get(store, &ResourceRef::Setting(name.into())).await?;
        let (version, setting) = match stored.map(|stored| (stored.version, stored.spec)) {
            Some((version, StoredSpec::Setting(setting))) => (version, setting),
            Some(_) | None => (0, default),
        };
        entries.push(SettingEntry {
            name: name.to_owned(),
            version,
            setting: Some(convert::setting_to_wire(&setting)),
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The operation that sets one.
pub(super) fn put(setting: Option<config::Setting>, expected_version: u64) -> Result<Put, Status> {
    let setting =
        convert::setting_from_wire(required("setting", setting)?).map_err(status::invalid_in("setting"))?;
    setting.validate().map_err(status::invalid_in("setting"))?;
    if matches!(setting, Setting::HttpDebug(_)) {
        // Bodies need another role than settings.
        return Err(Status::invalid_argument(
            "http_debug is changed by `penstock debug`",
        ));
    }
    if matches!(setting, Setting::DrainedNodes(_)) {
        // By what is connected, not by what was typed.
        return Err(Status::invalid_argument(
            "drained_nodes is changed by `penstock node drain`",
        ));
    }
    let reference = ResourceRef::Setting(setting.name().into());
    Ok(Put::new(reference, NewSpec::Setting(setting)).expecting(expect_or_any(expected_version)))
}

/// The operation that takes the default again. None: it is at its default.
pub(super) async fn reset(store: &dyn Store, name: &str) -> Result<Option<Op>, Status> {
    let known = Setting::defaults();
    if !known.iter().any(|setting| setting.name() == name) {
        let names: Vec<_> = known.iter().map(Setting::name).collect();
        let names = names.join(", ");
        return Err(Status::not_found(format!(
            "setting {name:?} does not exist; there are {names}"
        )));
    }
    let reference = ResourceRef::Setting(name.into());
    let stored = names::get(store, &reference).await?;
    Ok(stored.map(|stored| Op::delete(reference, Expect::Version(stored.version))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_stored_under_its_own_name() {
        let setting = convert::setting_to_wire(&Setting::ExplainRefusals(true));
        let put = put(Some(setting), 0).unwrap();
        assert_eq!(put.reference, ResourceRef::Setting("explain_refusals".into()));
        assert_eq!(put.expect, Expect::Any);
    }

    #[test]
    fn a_setting_without_a_value_is_refused() {
        let error = super::put(Some(config::Setting { value: None }), 0).unwrap_err();
        assert_eq!(error.message(), "setting.value: is missing");
    }
}
