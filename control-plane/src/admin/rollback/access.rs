//! The way back of users and keys: rights can go at once, and come back only when asked for.

use penstock_core::access::{Access, Activation};
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_store::{Change, LoggedKey, LoggedSpec, NewSpec};

use super::read::Present;
use super::{Rules, Step, keep_resets, put};

pub(super) fn restore_user(change: &Change, then: User, rules: Rules) -> Result<Step, Invalid> {
    let label = &change.label;
    let now = match &change.before {
        Some(json) => match LoggedSpec::read(Kind::User, json)? {
            LoggedSpec::User(now) => now,
            LoggedSpec::Provider(_)
            | LoggedSpec::Key(_)
            | LoggedSpec::Price(_)
            | LoggedSpec::Setting(_)
            | LoggedSpec::ImportSuffix
            | LoggedSpec::ErrorRule(_)
            | LoggedSpec::WordRule(_)
            | LoggedSpec::RequestFilter(_) => return Err(Invalid::new("log", "is of another kind")),
        },
        None if rules.include_access => return put(NewSpec::User(then.clone()), &then, Vec::new()),
        None => return Ok(stays_deleted(label)),
    };
    let mut remarks = Vec::new();
    let user = User {
        access: hold_back(label, then.access, &now.access, rules, &mut remarks),
        limits: keep_resets(label, &then.limits, &now.limits, &mut remarks),
        ..then
    };
    put(NewSpec::User(user.clone()), &user, remarks)
}

pub(super) fn restore_key(
    change: &Change,
    then: LoggedKey,
    present: &Present,
    rules: Rules,
) -> Result<Step, Invalid> {
    let label = &change.label;
    let ResourceRef::Key(id) = &change.reference else {
        return Err(Invalid::new("id", "is not that of a key"));
    };
    let mut remarks = Vec::new();
    let key = if let Some(now) = present.keys.get(id) {
        Key {
            name: then.name,
            access: hold_back(label, then.access, &now.access, rules, &mut remarks),
            limits: keep_resets(label, &then.limits, &now.limits, &mut remarks),
            ..now.clone()
        }
    } else if change.before.is_some() || !rules.include_access {
        return Ok(stays_deleted(label));
    } else {
        match undeleted(label, then, present, *id) {
            Ok(key) => key,
            Err(why) => return Ok(Step::Leave(why)),
        }
    };
    let logged = LoggedKey::from(&key);
    put(NewSpec::Key(Box::new(key)), &logged, remarks)
}

fn undeleted(
    label: &str,
    then: LoggedKey,
    present: &Present,
    id: penstock_core::id::KeyId,
) -> Result<Key, String> {
    if then.import_suffix.is_some() {
        return Err(format!(
            "{label} stays deleted: it was imported with a suffix; import it again"
        ));
    }
    if !present.users.contains(&then.user_id) {
        return Err(format!("{label} stays deleted: its user is gone"));
    }
    let Some(hash) = present.deleted.get(&id) else {
        return Err(format!("{label} stays deleted: nothing is left of its secret"));
    };
    Ok(Key {
        name: then.name,
        user_id: then.user_id,
        access: then.access,
        limits: then.limits,
        hint: then.hint,
        hash: *hash,
        import_suffix: None,
        previous: None,
    })
}

fn stays_deleted(label: &str) -> Step {
    Step::Leave(format!(
        "{label} stays deleted; restoring access must be asked for (--include-access)"
    ))
}

/// The former rules, without what would let somebody in who is kept out now.
pub(super) fn hold_back(
    label: &str,
    then: Access,
    now: &Access,
    rules: Rules,
    remarks: &mut Vec<String>,
) -> Access {
    let mut access = then;
    // The first use is a fact, and stays one.
    access.activation = access
        .activation
        .map(|activation| activation.with_facts_of(now.activation, rules.now));
    if rules.include_access {
        return access;
    }
    if access.enabled && !now.enabled {
        access.enabled = false;
        remarks.push(format!(
            "{label} stays disabled; enabling must be asked for (--include-access)"
        ));
    }
    if later(access.expires_at, now.expires_at) || outlasts(access.activation, now.activation) {
        access.expires_at = now.expires_at;
        access.activation = now.activation;
        let state = if now.expired(rules.now) {
            "stays expired"
        } else {
            "keeps its earlier expiry"
        };
        remarks.push(format!(
            "{label} {state}; a later one must be asked for (--include-access)"
        ));
    }
    access
}

/// Whether an expiry that counts from the first use is later, or is none where there is one.
fn outlasts(a: Option<Activation>, b: Option<Activation>) -> bool {
    match (a, b) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(a), Some(b)) => a.expires_after_ms > b.expires_after_ms,
    }
}

/// Whether `a` ends after `b`; None never ends.
fn later(a: Option<UnixMs>, b: Option<UnixMs>) -> bool {
    match (a, b) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(a), Some(b)) => a > b,
    }
}
