//! The binary's allocator from outside: that it is linked at all, since nothing in the program calls it by name.

use std::process::Command;

#[test]
fn mimalloc_is_in_the_binary() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    let said = command.arg("--version").env("MIMALLOC_SHOW_STATS", "1").output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("pages") && said.contains("committed"), "no statistics of mimalloc: {said}");
}
