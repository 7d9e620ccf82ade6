//! Settings of several fields: read, changed in what is given, written back; again from the start when somebody else was
//! faster, so that nothing of theirs is lost.

use penstock_core::setting::{
    LimitsPolicy, LoggingPolicy, NotificationPolicy, ObservabilityPolicy, RetentionPolicy, RoutingPolicy,
    Setting,
};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use crate::command::edit::nothing_to_change;
use crate::command::session::{Session, part};
use crate::failure::Failure;
use crate::remote::{ATTEMPTS, Reason, Services, edit};

/// What such a setting holds.
pub(super) trait Policy: Clone + Default {
    fn into_setting(self) -> Setting;

    /// None: it is another setting.
    fn of(setting: Setting) -> Option<Self>;
}

macro_rules! policies {
    ($($setting:ident: $policy:ty;)*) => {$(
        impl Policy for $policy {
            fn into_setting(self) -> Setting {
                Setting::$setting(self)
            }

            fn of(setting: Setting) -> Option<Self> {
                match setting {
                    Setting::$setting(policy) => Some(policy),
                    _ => None,
                }
            }
        }
    )*};
}

policies! {
    Limits: LimitsPolicy;
    Logging: LoggingPolicy;
    Notifications: NotificationPolicy;
    Observability: ObservabilityPolicy;
    Retention: RetentionPolicy;
    Routing: RoutingPolicy;
}

/// Changes a setting and says so. `given`: any field was named.
pub(super) async fn set<P: Policy>(
    session: &Session,
    reason: &Reason,
    given: bool,
    apply: impl Fn(&mut P),
) -> Result<(), Failure> {
    let changed = change(session, reason, given, |mut policy: P| {
        apply(&mut policy);
        Ok(policy)
    });
    let (policy, revision) = changed.await?;
    session.print_done(format!("set {}", policy.into_setting().name()), revision)
}

/// The setting as it is now, and the revision that made it so.
pub(super) async fn change<P: Policy>(
    session: &Session,
    reason: &Reason,
    given: bool,
    apply: impl Fn(P) -> Result<P, Failure>,
) -> Result<(P, u64), Failure> {
    if !given {
        return Err(nothing_to_change());
    }
    let services = session.connect().await?;
    let changed = edit(ATTEMPTS, async || {
        let (policy, version) = current(&services).await?;
        let policy = apply(policy)?;
        let request = wire::SetSettingRequest {
            setting: Some(convert::setting_to_wire(&policy.clone().into_setting())),
            expected_version: version,
            change: reason.info(),
        };
        let answer = services.configuration().set_setting(request).await?;
        Ok((policy, answer.into_inner().revision))
    });
    changed.await
}

/// A setting as it is, and its version.
async fn current<P: Policy>(services: &Services) -> Result<(P, u64), Failure> {
    let name = P::default().into_setting().name();
    let request = wire::ListSettingsRequest {};
    let answer = services.configuration().list_settings(request).await?;
    let entries = answer.into_inner().settings;
    let entry = part(name, entries.into_iter().find(|entry| entry.name == name))?;
    let setting = convert::setting_from_wire(part("setting", entry.setting)?)?;
    Ok((part(name, P::of(setting))?, entry.version))
}
