use super::*;
use crate::failure::{Finding, Network, of_network};

#[test]
fn g14_each_word_of_ours_is_once_in_the_closed_list_and_known() {
    let mut words: Vec<_> = ErrorType::ALL.iter().map(|own| own.as_str()).collect();
    assert!(words.iter().all(|word| is_known(word)));
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), ErrorType::ALL.len());
    assert!(is_known("overloaded_error") && is_known("ThrottlingException"));
    assert!(!is_known("a_new_error"));
}

#[test]
fn g14_the_parameter_is_the_path_that_a_message_leads_with() {
    for (message, path) in [
        (
            "messages.1.content.0.text: Field required",
            Some("messages.1.content.0.text"),
        ),
        ("tools[0].name: must match", Some("tools[0].name")),
        ("max_tokens: 9 > 8", Some("max_tokens")),
        ("error: something is wrong", None),
        ("Your credit balance is too low", None),
        ("What I said: messages.1", None),
        ("", None),
    ] {
        assert_eq!(leading_path(message), path, "{message}");
    }
}

#[test]
fn g14_the_reason_of_a_retry_follows_the_finding() {
    let of = |class, status| RetryReason::of(&Finding::of_class(class), status);
    assert_eq!(of(Class::RateLimited, Some(429)), RetryReason::RateLimit);
    assert_eq!(of(Class::Overloaded, Some(529)), RetryReason::Overloaded);
    assert_eq!(of(Class::Transient, Some(502)), RetryReason::ServerError);
    assert_eq!(of(Class::Credential, Some(401)), RetryReason::Credential);
    assert_eq!(of(Class::NoModel, Some(404)), RetryReason::Other);
    let network = |cause| RetryReason::of(&of_network(cause), None);
    assert_eq!(network(Network::FirstByteTimeout), RetryReason::Timeout);
    assert_eq!(network(Network::Reset), RetryReason::Network);
}

#[test]
fn g14_a_refusal_is_put_down_to_whose_fault_it_is() {
    assert_eq!(
        class_of(Code::QuotaExceeded),
        (ErrorClass::PolicyRejection, Category::Client)
    );
    assert_eq!(
        class_of(Code::InvalidRequest),
        (ErrorClass::NonRetryableClientError, Category::Client)
    );
    assert_eq!(
        class_of(Code::NoAvailableAccount),
        (ErrorClass::SystemError, Category::Server)
    );
}

#[test]
fn g14_the_family_of_a_status() {
    assert_eq!(
        [family(529), family(404), family(200), family(0)],
        ["5xx", "4xx", "2xx", "none"]
    );
}
