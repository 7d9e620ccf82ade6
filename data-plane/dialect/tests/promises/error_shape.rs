//! Our errors in each dialect's shape, and as the last event of a stream (A2, C3).

use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::id::RequestId;
use penstock_core::limits::{Dimension, Exceeded, Level};
use penstock_core::time::UnixMs;
use penstock_dialect::error_shape::{as_event, event, of_responses_event, render};
use penstock_dialect::usage::{Event, Observer};

use crate::transcript::frames;

fn id() -> RequestId {
    RequestId::from_parts(1_700_000_000_000, &[7; 10])
}

#[test]
fn a02_every_error_has_the_shape_of_the_dialect_called() {
    for dialect in Dialect::ALL {
        let bodies = Code::ALL.map(|code| {
            let error = CallerError::new(code, "what is wrong, \"quoted\"");
            let body = render(dialect, &error, id());
            format!("{} {}", error.status(), std::str::from_utf8(&body).unwrap())
        });
        insta::assert_snapshot!(format!("errors_{dialect}"), bodies.join("\n"));
    }
}

#[test]
fn c03_the_error_event_is_one_event_that_ends_no_stream() {
    for dialect in Dialect::ALL {
        let error = CallerError::new(Code::UpstreamError, "The stream broke off.\nTry again");
        let bytes = event(dialect, &error, id());
        insta::assert_snapshot!(format!("event_{dialect}"), std::str::from_utf8(&bytes).unwrap());
        let frames = frames(bytes);
        assert_eq!(frames.len(), 1);
        let read = Observer::new(dialect).stream_frame(&frames[0]);
        let Event::Error(told) = read else {
            panic!("{dialect}: {read:?}")
        };
        assert_eq!(told.message.as_deref(), Some("The stream broke off.\nTry again"));
    }
}

fn refusals() -> [Exceeded; 2] {
    let budget = Exceeded {
        level: Level::User,
        dimension: Dimension::UsdDaily,
        used: 20_000_000_001,
        limit: 20_000_000_000,
        reset_at: Some(UnixMs(1_700_000_000_000)),
        retry_after: 3_600,
    };
    let rate = Exceeded {
        level: Level::Key,
        dimension: Dimension::Rpm,
        used: 10,
        limit: 10,
        reset_at: None,
        retry_after: 7,
    };
    [budget, rate]
}

#[test]
fn d02_a_refusal_names_its_limit_in_every_dialect() {
    for dialect in Dialect::ALL {
        let bodies = refusals().map(|exceeded| {
            let error = CallerError::from(exceeded);
            let body = render(dialect, &error, id());
            format!("{} {}", error.status(), std::str::from_utf8(&body).unwrap())
        });
        insta::assert_snapshot!(format!("limits_{dialect}"), bodies.join("\n"));
    }
}

#[test]
fn d02_a_limit_in_the_middle_of_a_stream_is_named_in_its_event() {
    for dialect in Dialect::ALL {
        let bytes = event(dialect, &refusals()[0].into(), id());
        insta::assert_snapshot!(
            format!("limit_event_{dialect}"),
            std::str::from_utf8(&bytes).unwrap()
        );
        assert_eq!(frames(bytes).len(), 1);
    }
}

#[test]
fn c07_the_error_of_a_failed_response_is_told_with_its_code_wherever_it_stands() {
    for body in [
        r#"{"type":"response.failed","response":{"error":{"code":"context_length_exceeded","message":"Too long."}}}"#,
        r#"{"type":"error","code":"context_length_exceeded","message":"Too long.","param":null}"#,
        r#"{"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"Too long."}}"#,
    ] {
        let event = as_event(Dialect::OpenaiResponses, body.as_bytes());
        let told = std::str::from_utf8(&event).unwrap();
        let data = told.split_once("data: ").unwrap().1;
        let event: serde_json::Value = serde_json::from_str(data).unwrap();
        let body = of_responses_event(body.as_bytes(), 400);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        for told in [&event, &body["error"]] {
            assert_eq!(
                (&told["code"], &told["message"]),
                (&"context_length_exceeded".into(), &"Too long.".into())
            );
        }
        assert_eq!(body["error"]["type"], "invalid_request_error");
    }
}
