//! `penstock status`.

use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::view;

pub(crate) async fn run(session: &Session) -> Result<(), Failure> {
    let server = session.target()?.server;
    let services = session.connect().await?;
    let answer = services.fleet().get_status(wire::GetStatusRequest {}).await?;
    session.print(&view::Status::read(answer.into_inner(), &server))
}
