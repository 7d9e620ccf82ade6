//! `penstock whoami`.

use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::view;

pub(super) async fn run(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let answer = services.operators().who_am_i(wire::WhoAmIRequest {}).await?;
    session.print(&view::WhoAmI::read(answer.into_inner())?)
}
