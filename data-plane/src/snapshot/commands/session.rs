//! Kicking a session, as the wire asks for it.

use penstock_core::id::KeyId;
use penstock_core::session::SessionId;
use penstock_proto::sync::v1 as wire;

use crate::app::App;

pub(super) async fn kick(app: &App, question: &wire::KickSession) -> Result<wire::SessionKicked, String> {
    let session: SessionId = question.session.parse().map_err(|error| format!("{error}"))?;
    let key: KeyId = question
        .key_id
        .parse()
        .map_err(|_| "kick_session.key_id is not an id".to_owned())?;
    let snapshot = app.live.load();
    let user = snapshot.key(key).map(|entry| entry.key.user_id);
    let user = user.ok_or_else(|| "the key of this session is gone, so nothing of it is bound".to_owned())?;
    let kicked = app.fleet.kick(session, key, user).await;
    let kicked = kicked.map_err(|error| format!("Redis cannot be asked: {error}"))?;
    Ok(wire::SessionKicked {
        unbound: kicked.unbound,
        freed: kicked.freed,
    })
}
