//! The house under siege (scenarios.md SC-39, domain.md T-02, T-03, T-04), as `benches/siege.py` lays it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::house::binary;

/// 5,000 datagrams of garbage, 2,000 REGISTERs a second and 5,000 silent connections at once: every new call
/// is answered, a conversation loses no packet, and memory stays flat. The script fails if one is not so.
#[test]
#[ignore = "takes a minute of both cores: tests/interop/run"]
fn under_siege_new_calls_are_answered_and_a_conversation_loses_nothing() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/siege.py");
    let told = Command::new("python3")
        .arg(script)
        .arg("--short")
        .arg(binary())
        .stdin(Stdio::null())
        .output()
        .unwrap();

    let figures = String::from_utf8_lossy(&told.stdout);
    eprintln!("{figures}");
    assert!(told.status.success(), "{figures}{}", String::from_utf8_lossy(&told.stderr));
}
