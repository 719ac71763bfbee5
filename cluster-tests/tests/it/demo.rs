//! The demo is what a newcomer runs first.

use crate::NODE;
use std::process::Command;
use tandem_cluster_tests::process::{crate_path, free_port};

#[test]
fn the_demo_goes_as_it_says() {
    let ports = ["LEADER_HTTP", "LEADER_TRANSPORT", "FOLLOWER_HTTP", "FOLLOWER_TRANSPORT"];
    let mut command = Command::new(crate_path("../scripts/ccr-demo.sh"));
    command.env("TANDEM", env!("CARGO_BIN_EXE_node"));
    for name in ports {
        command.env(name, free_port().to_string());
    }
    let output = command.output().unwrap();
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{NODE}: {printed}\n{errors}");
    assert!(printed.contains("Leader and follower hold the same"), "{printed}");
}
