//! Finds what is wrong with an installation: the server's part of `penstock doctor`.
//!
//! Each check is a function that looks at one thing and sends what it finds. They run side by side, so that one that waits
//! (a provider that does not answer) holds up no other; [`examine`] ends with the last of them.
//!
//! Rules:
//! - A finding says what was found, why it matters and what to do, with a command where there is one.
//! - *fail*: calls fail, or would. *warn*: it works, and not for long or not as meant.
//! - Nothing is changed and nothing costs money. Whoever may read may ask.
//! - No text holds a secret: names, hosts and numbers only.

mod database;
mod finding;
mod fleet;
mod listener;
mod prices;
mod providers;
mod secrets;
mod settings;

pub use finding::{Finding, Level};

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::context::Context;

/// What the start knew and checks look at.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub tls_cert: Option<PathBuf>,
    pub tls_ca: Option<PathBuf>,
    /// gRPC leaves the machine without TLS.
    pub plaintext: bool,
    /// A node token is the admin token.
    pub same_token: bool,
    pub data_dir: Option<PathBuf>,
}

/// Where findings go. A reader who has left ends nothing; what is sent then is lost.
#[derive(Clone, Debug)]
pub struct Findings(mpsc::Sender<Finding>);

impl Findings {
    async fn tell(&self, finding: Finding) {
        // The reader left.
        drop(self.0.send(finding).await);
    }
}

/// Looks at everything. Findings come on the channel as they are found; it ends after the last.
pub async fn examine(context: Context, offline: bool, sender: mpsc::Sender<Finding>) {
    let found = Findings(sender);
    let providers = async {
        providers::standing(&context, &found).await;
        if !offline {
            providers::reach(&context, &found).await;
        }
    };
    tokio::join!(
        database::check(&context, &found),
        fleet::check(&context, &found),
        listener::check(&context, &found),
        secrets::check(&context, &found),
        settings::check(&context, &found),
        prices::check(&context, &found),
        providers,
    );
}
