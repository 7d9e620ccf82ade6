//! How listings are cut.

use penstock_proto::admin::v1::{PageRequest, PageResponse};
use penstock_store::{Listed, Page};

const DEFAULT: u32 = 1_000;

/// The part that was asked for: 1000 items unless told, 10 000 at most.
pub(super) fn asked(request: Option<PageRequest>) -> Page {
    let request = request.unwrap_or_default();
    let size = if request.size == 0 {
        DEFAULT
    } else {
        request.size.min(Page::MAX)
    };
    let after = (!request.token.is_empty()).then_some(request.token);
    let prefix = (!request.name_prefix.is_empty()).then_some(request.name_prefix);
    Page { size, after, prefix }
}

/// Where the next part begins. Rows that cannot be read are left out of listings, and logged.
pub(super) fn next(listed: &mut Listed) -> PageResponse {
    for unreadable in &listed.unreadable {
        tracing::error!(resource = %unreadable.reference, problem = unreadable.problem, "left out of a listing");
    }
    PageResponse {
        next_token: listed.next.take().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(size: u32) -> u32 {
        asked(Some(PageRequest {
            size,
            ..PageRequest::default()
        }))
        .size
    }

    #[test]
    fn a_page_is_a_thousand_items_unless_told_and_ten_thousand_at_most() {
        assert_eq!(asked(None).size, 1_000);
        assert_eq!((size(0), size(7), size(99_999)), (1_000, 7, 10_000));
    }

    #[test]
    fn the_first_page_has_no_token() {
        assert_eq!(asked(None).after, None);
    }
}
