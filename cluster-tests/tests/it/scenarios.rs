//! Every scenario, against two clusters of one node each.

use crate::NODE;
use tandem_cluster_tests::process::{TestNode, crate_path};
use tandem_cluster_tests::scenarios::{Outcome, Runner, Server, load_all};

#[test]
fn every_scenario_is_answered_as_it_says() {
    let (leader, follower) = (TestNode::start(NODE, "scenario-leader"), TestNode::start(NODE, "scenario-follower"));
    let root = crate_path("scenarios");
    let files = load_all(&root, &root).unwrap();
    let runner = Runner { leader: leader.client(), server: Server::Tandem, follower: Some((follower.client(), leader.seed())) };
    let mut failures = Vec::new();
    let tally = runner.run_all(&files, |title, outcome| {
        if let Outcome::Failed(why) = outcome {
            failures.push(format!("{title}\n    {why}"));
        }
    });
    assert!(failures.is_empty(), "{} of {} scenarios failed:\n{}", failures.len(), tally.passed + tally.failed, failures.join("\n"));
    assert_eq!(tally.skipped, 0, "every scenario is for this server");
    assert!(tally.requests >= 150, "the scenarios send {} requests", tally.requests);
}
