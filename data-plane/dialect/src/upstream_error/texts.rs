//! The texts of an error, all of which a provider may have made of what it was sent.

use super::{Details, UpstreamError};

impl UpstreamError {
    /// Each text in it made anew, as for masking what the provider may have repeated.
    #[must_use]
    pub fn with_texts(self, anew: impl Fn(&str) -> String) -> Self {
        let anew = |text: Option<String>| text.map(|text| anew(&text));
        // By name, so that no text that comes to it is forgotten here.
        let Self {
            kind,
            code,
            message,
            details,
            is_error,
        } = self;
        let details = details.map(|details| {
            let Details {
                param,
                inner_code,
                google_status,
                reason,
                quota_id,
                delay,
                resets_at,
                page,
            } = *details;
            Box::new(Details {
                param: anew(param),
                inner_code: anew(inner_code),
                google_status: anew(google_status),
                reason: anew(reason),
                quota_id: anew(quota_id),
                delay,
                resets_at,
                page,
            })
        });
        Self {
            kind: anew(kind),
            code: anew(code),
            message: anew(message),
            details,
            is_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn f01_no_text_of_an_error_stays_as_it_came() {
        let text = || Some("a secret".to_owned());
        let error = UpstreamError {
            kind: text(),
            code: text(),
            message: text(),
            details: Some(Box::new(Details {
                param: text(),
                inner_code: text(),
                google_status: text(),
                reason: text(),
                quota_id: text(),
                delay: Some(Duration::from_secs(1)),
                resets_at: None,
                page: true,
            })),
            is_error: true,
        };
        let shown = format!("{:?}", error.clone().with_texts(|_| "***".to_owned()));
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(error.clone().with_texts(str::to_owned), error);
    }
}
