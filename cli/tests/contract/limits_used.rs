//! `penstock limits`, where there is nothing to count yet.

use super::operator::Operator;

#[tokio::test]
async fn d01_without_a_data_plane_limits_cannot_be_shown_and_it_says_why() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice").await;
    let refused = operator.fails("limits show --user alice", 1).await;
    assert!(refused.contains("no data plane is connected"), "{refused}");
    let unknown = operator.fails("limits show --user bob", 1).await;
    assert_eq!(unknown, "error: user \"bob\" does not exist\n");
}

#[tokio::test]
async fn d01_what_has_no_limit_cannot_be_reset() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice").await;
    let refused = operator
        .fails("limits reset --user alice --dimension usd_total --reason paid", 1)
        .await;
    assert!(refused.contains("user \"alice\" has no budget"), "{refused}");
    operator.fails("limits reset", 2).await;
    operator.fails("limits show --user alice --key laptop", 2).await;
    let wrong = operator
        .fails("limits reset --user alice --dimension usd_hourly", 2)
        .await;
    assert!(wrong.contains("usd_daily"), "{wrong}");
}
