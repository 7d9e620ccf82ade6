//! A node's questions for a baseline, over the in-memory pipe.

use penstock_core::id::{KeyId, UserId};
use penstock_proto::config::v1::LimitLevel;
use penstock_proto::telemetry::v1::telemetry_service_client::TelemetryServiceClient;
use penstock_proto::telemetry::v1::{BaselineQuestion, BaselineRequest, BaselineResponse, SpendSpan};
use tonic::{Code, Status};

use crate::reporter::{Reporter, batch, malformed};
use crate::tests::fake_store::FakeStore;
use crate::tests::plane::{LONG, Plane, plane};

async fn ask(plane: &Plane, questions: Vec<BaselineQuestion>) -> Result<BaselineResponse, Status> {
    let mut client = TelemetryServiceClient::new(plane.channel.clone());
    let answer = client.baseline(BaselineRequest { questions }).await?;
    Ok(answer.into_inner())
}

fn key(spans: usize) -> BaselineQuestion {
    BaselineQuestion {
        level: LimitLevel::Key.into(),
        id: KeyId::from_parts(1, &[1; 10]).to_string(),
        spans: vec![SpendSpan::default(); spans],
    }
}

#[tokio::test]
async fn d06_a_node_learns_what_was_spent_and_how_far_spools_are_delivered() {
    let plane = plane(FakeStore::new(), LONG).await;
    let (mut node, _) = Reporter::open(plane.channel.clone(), None, "a").await.unwrap();
    let sent = batch(1, 3);
    let spool = sent.spool_id.clone();
    node.acked(sent).await.unwrap();
    let user = BaselineQuestion {
        level: LimitLevel::User.into(),
        id: UserId::from_parts(1, &[1; 10]).to_string(),
        spans: vec![SpendSpan {
            from_ms: crate::clock::now().0,
            by_minute: true,
        }],
    };
    let answer = ask(&plane, vec![key(2), user.clone()]).await.unwrap();
    let spends: Vec<usize> = answer.answers.iter().map(|a| a.spends.len()).collect();
    assert_eq!(spends, [2, 1]);
    assert_eq!(answer.answers[0].spends[1].nanousd, 7);
    assert_eq!(
        answer.answers[1].spends[0].minutes[0].minute_ms,
        user.spans[0].from_ms
    );
    assert_eq!(
        (
            answer.marks[0].spool_id.as_str(),
            answer.marks[0].through_sequence
        ),
        (spool.as_str(), 3)
    );
}

#[tokio::test]
async fn d06_a_mark_rises_also_by_records_that_can_never_be_stored() {
    let plane = plane(FakeStore::new(), LONG).await;
    let (mut node, _) = Reporter::open(plane.channel.clone(), None, "a").await.unwrap();
    let mut sent = batch(1, 2);
    sent.records = vec![malformed(), malformed()];
    node.acked(sent).await.unwrap();
    let answer = ask(&plane, vec![key(1)]).await.unwrap();
    assert_eq!(answer.marks[0].through_sequence, 2);
    assert_eq!(plane.store.records(), 0);
}

#[tokio::test]
async fn d06_a_question_that_makes_no_sense_is_refused_with_its_place() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut bad = key(1);
    bad.id = "alice".to_owned();
    let mut unknown = key(1);
    unknown.level = 0;
    let mut early = key(1);
    early.spans[0].from_ms = -1;
    let mut long = key(1);
    long.spans[0] = SpendSpan {
        from_ms: 1,
        by_minute: true,
    };
    for (questions, place) in [
        (vec![], "questions: are 0"),
        (vec![key(1); 65], "questions: are 65"),
        (vec![key(9)], "questions[0].spans"),
        (vec![key(1), bad], "questions[1].id"),
        (vec![unknown], "questions[0].level"),
        (vec![early], "from_ms"),
        (vec![long], "by_minute"),
    ] {
        let status = ask(&plane, questions).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(place), "{place}: {}", status.message());
    }
    assert_eq!(ask(&plane, vec![key(8); 64]).await.unwrap().answers.len(), 64);
}

#[tokio::test]
async fn d06_without_a_database_a_baseline_is_unavailable() {
    let plane = plane(FakeStore::new(), LONG).await;
    plane.store.set_away(true);
    let status = ask(&plane, vec![key(1)]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
