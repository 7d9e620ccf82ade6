//! Prices that ship with the release, for whatever takes the place of one: no model may be without its price until the
//! next start.

use penstock_core::price::{Price, PriceSource};
use penstock_store::{Expect, NewSpec, Op, Put, Stored, StoredSpec};
use tonic::Status;

use crate::prices;

/// By name.
pub(super) fn all() -> Result<Vec<(String, Price)>, Status> {
    prices::shipped().map_err(|error| {
        tracing::error!(%error, "the shipped prices cannot be read");
        Status::internal("the shipped prices cannot be read")
    })
}

/// What a deletion does: where the release has a price of that name it comes back in the same commit.
pub(super) fn deletion(stored: Stored, expect: Expect) -> Result<Op, Status> {
    let name = stored.reference.id();
    let shipped = all()?.into_iter().find(|(known, _)| *known == name);
    let Some((_, shipped)) = shipped else {
        return Ok(Op::delete(stored.reference, expect));
    };
    if matches!(&stored.spec, StoredSpec::Price(price) if price.source == PriceSource::Shipped) {
        return Err(Status::failed_precondition(format!(
            "price {name:?} comes with this release and would be back at the next start; to be rid of it, put a price of \
             your own in its place (penstock price create --name {name})"
        )));
    }
    Ok(Put::new(stored.reference, NewSpec::Price(Box::new(shipped)))
        .expecting(expect)
        .into())
}
