//! The modules of this crate use only those above them in the list of `lib.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../../models/tests/module_order/check.rs"]
mod check;

use std::path::Path;

#[test]
fn every_module_uses_only_modules_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(check::faults_of_crate(&src), [""; 0]);
}
