//! Why the control plane cannot be reached.

use std::error::Error;

/// The text has the whole chain of causes, in one line.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error(
        "TLS to the control plane {url} cannot be set up: {}; check that --tls-ca, --tls-cert and --tls-key are PEM \
         files and that certificate and key belong together",
        chain(source)
    )]
    Tls {
        url: String,
        source: tonic::transport::Error,
    },
    #[error("the node token has characters that cannot be sent; use letters, digits and punctuation")]
    Token,
    #[error("no control plane is named")]
    Nowhere,
    #[error("the control plane {url} cannot be reached: {}", chain(source))]
    Connect {
        url: String,
        source: tonic::transport::Error,
    },
}

/// An error and what caused it. Wrappers that repeat their cause are said once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
