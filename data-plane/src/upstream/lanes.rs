//! As many connections to a host as its streams need, where HTTP/2 puts several on one.
//!
//! A pool keeps one HTTP/2 connection for each host, and a connection takes no more streams at once than its other end
//! says (100 at most edges). What comes on top waits inside the connection until others end: a healthy provider would
//! look silent, and its breaker would open. So there are several pools, *lanes*; a request takes the first with room.
//!
//! *Room.* [`STREAMS`] on each lane, less than edges allow. One that allows fewer is found out: a request that has its
//! connection and is not let onto it for a while leaves that lane for another one, and what was on it then is the most
//! for [`REMEMBERED`]. Nothing of such a request has been sent, nor will be: its body gives nothing out any more.
//!
//! *Bounds.* At most [`MAX_LANES`]; beyond, requests wait on the least busy one. Lanes fill from the first on, so those
//! behind become idle, and their connections end.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{self, ResponseFuture};
use penstock_outbound::{Client, Pools};
use tokio::time::{Instant, timeout};

use super::send_body::SendBody;

/// One connection to each host that speaks HTTP/2.
type Pool = Client<SendBody>;

/// On one connection. Edges allow 100 and more.
const STREAMS: usize = 80;
const MAX_LANES: usize = 256;
/// How often it is looked whether a request has been let onto its connection.
const LOOK: Duration = Duration::from_millis(250);
/// Of one request, from one lane to another.
const MOVES: u32 = 3;
/// How long it is remembered that a connection takes fewer than [`STREAMS`].
const REMEMBERED: Duration = Duration::from_secs(60);

/// See the module. Clones share their lanes.
#[derive(Clone)]
pub(super) struct Lanes(Arc<Shared>);

struct Shared {
    /// Makes a pool without connections.
    make: Box<dyn Fn() -> Pool + Send + Sync>,
    /// Only grows; at least one.
    lanes: ArcSwap<Vec<Arc<Lane>>>,
    /// Streams for each lane, as far as is known.
    most: AtomicUsize,
    /// Held while the lanes grow: since when fewer than [`STREAMS`] are the most.
    fewer_since: Mutex<Option<Instant>>,
}

struct Lane {
    pool: Pool,
    /// Requests that are on it, or wait to be.
    taken: AtomicUsize,
    /// Those of them whose body was asked for: they are on a connection.
    open: AtomicUsize,
}

/// A request's place on a lane, until the answer has ended.
struct Place(Arc<Ticket>);

/// What a place and the request's body know of each other.
pub(super) struct Ticket {
    lane: Arc<Lane>,
    stage: AtomicU8,
}

const WAITS: u8 = 0;
const OPEN: u8 = 1;
const LEFT: u8 = 2;

/// The body of an answer. It holds its place until it has ended.
pub(crate) struct ReceiveBody {
    body: Incoming,
    place: Option<Place>,
}

impl Lanes {
    pub(super) fn over(pools: Pools) -> Self {
        Self::new(move || pools.open())
    }

    fn new(make: impl Fn() -> Pool + Send + Sync + 'static) -> Self {
        let first = Arc::new(Lane::new(make()));
        Self(Arc::new(Shared {
            make: Box::new(make),
            lanes: ArcSwap::from_pointee(vec![first]),
            most: AtomicUsize::new(STREAMS),
            fewer_since: Mutex::default(),
        }))
    }

    /// Sends a request. It is made anew for each lane that it is tried on.
    pub(super) async fn send<E: From<legacy::Error>>(
        &self,
        make: impl Fn() -> Result<Request<SendBody>, E>,
    ) -> Result<Response<ReceiveBody>, E> {
        let mut moves = 0;
        loop {
            let place = self.0.place();
            let mut request = make()?;
            let bodiless = request.body().is_end_stream();
            request.body_mut().ticket(Arc::clone(&place.0));
            let connection = capture_connection(&mut request);
            let sending = place.0.lane.pool.request(request);
            // Whether a request without a body is let on cannot be seen.
            let answer = match bodiless || moves >= MOVES {
                true => Some(sending.await),
                false => self.0.answer(sending, &connection, &place).await,
            };
            let Some(answer) = answer else {
                moves += 1;
                continue;
            };
            return Ok(answer?.map(|body| ReceiveBody {
                body,
                place: Some(place),
            }));
        }
    }
}

impl Shared {
    /// On the first lane with room.
    fn place(&self) -> Place {
        loop {
            let lanes = self.lanes.load();
            let most = self.most.load(Ordering::Relaxed);
            if let Some(place) = lanes.iter().find_map(|lane| lane.place(most)) {
                return place;
            }
            if lanes.len() >= MAX_LANES {
                let least = lanes.iter().min_by_key(|lane| lane.taken.load(Ordering::Relaxed));
                if let Some(place) = least.and_then(|lane| lane.place(usize::MAX)) {
                    return place;
                }
            }
            let known = lanes.len();
            drop(lanes);
            self.grow(known);
        }
    }

    /// One lane more than `known`, unless another request has made it meanwhile.
    fn grow(&self, known: usize) {
        let mut fewer_since = self.fewer_since.lock().unwrap_or_else(PoisonError::into_inner);
        if fewer_since.is_some_and(|since| since.elapsed() >= REMEMBERED) {
            *fewer_since = None;
            self.most.store(STREAMS, Ordering::Relaxed);
            return;
        }
        let lanes = self.lanes.load();
        if lanes.len() == known {
            let mut lanes = Vec::clone(&lanes);
            lanes.push(Arc::new(Lane::new((self.make)())));
            self.lanes.store(Arc::new(lanes));
        }
    }

    /// The answer; None when the request has left its place, since it is not let onto its connection.
    async fn answer(
        &self,
        mut sending: ResponseFuture,
        connection: &CaptureConnection,
        place: &Place,
    ) -> Option<Result<Response<Incoming>, legacy::Error>> {
        let mut looked = false;
        loop {
            if let Ok(answer) = timeout(LOOK, &mut sending).await {
                return Some(answer);
            }
            if place.is_open() {
                return Some(sending.await);
            }
            // Twice, for it may have got its connection just now.
            let waits = on_http2(connection);
            if waits && looked && place.leave() {
                self.learn(place.0.lane.open.load(Ordering::Relaxed));
                return None;
            }
            looked = waits;
        }
    }

    /// A lane takes no more than so many.
    fn learn(&self, most: usize) {
        if most == 0 {
            return;
        }
        let mut fewer_since = self.fewer_since.lock().unwrap_or_else(PoisonError::into_inner);
        *fewer_since = Some(Instant::now());
        self.most.fetch_min(most, Ordering::Relaxed);
    }
}

fn on_http2(connection: &CaptureConnection) -> bool {
    let connected = connection.connection_metadata();
    connected
        .as_ref()
        .is_some_and(|connected| connected.is_negotiated_h2())
}

impl Lane {
    fn new(pool: Pool) -> Self {
        Self {
            pool,
            taken: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        }
    }

    fn place(self: &Arc<Self>, most: usize) -> Option<Place> {
        let more = |taken| (taken < most).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Place(Arc::new(Ticket {
            lane: Arc::clone(self),
            stage: AtomicU8::new(WAITS),
        })))
    }
}

impl Ticket {
    /// The request is on a connection now. False: nobody waits for it any more.
    pub(super) fn open(&self) -> bool {
        self.lane.open.fetch_add(1, Ordering::Relaxed);
        let opened = self
            .stage
            .compare_exchange(WAITS, OPEN, Ordering::AcqRel, Ordering::Acquire);
        if opened.is_err() {
            self.lane.open.fetch_sub(1, Ordering::Relaxed);
        }
        opened.is_ok()
    }
}

impl Place {
    fn is_open(&self) -> bool {
        self.0.stage.load(Ordering::Acquire) == OPEN
    }

    /// False: the request is on its connection.
    fn leave(&self) -> bool {
        let left = self
            .0
            .stage
            .compare_exchange(WAITS, LEFT, Ordering::AcqRel, Ordering::Acquire);
        left.is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let lane = &self.0.lane;
        if self.0.stage.swap(LEFT, Ordering::AcqRel) == OPEN {
            lane.open.fetch_sub(1, Ordering::Relaxed);
        }
        lane.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Body for ReceiveBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = &next {
            self.place = None;
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl std::fmt::Debug for ReceiveBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.body.fmt(f)
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}
