//! The modules of this crate use only those above them in the table of `lib.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "module_order/check.rs"]
mod check;

use std::path::Path;

use check::{faults, faults_of_crate};

#[test]
fn every_module_uses_only_modules_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(faults_of_crate(&src), [""; 0]);
}

#[test]
fn an_import_that_runs_upwards_is_found_however_it_is_written() {
    let order = ["error", "ops", "data"].map(str::to_owned);
    let of = |path: &str, text: &str| {
        let path = path.split("::").map(str::to_owned).collect();
        faults(&order, &[(path, text.to_owned())])
    };
    assert_eq!(of("ops", "use crate::data::Library;\n"), ["ops uses data"]);
    assert_eq!(
        of("ops::conv", "    let x = crate::data::row();\n"),
        ["ops::conv uses data"]
    );
    assert_eq!(
        of("ops", "use crate::{error::Error, data};\n"),
        ["ops uses data"]
    );
    assert_eq!(
        of("ops", "use crate::{\n    data::{a, b},\n};\n"),
        ["ops uses data"]
    );
    assert_eq!(of("error", "use super::data;\n"), ["error uses data"]);
    assert_eq!(
        of("ops::conv", "use super::super::data;\n"),
        ["ops::conv uses data"]
    );
    for downwards in [
        "use crate::error::Error;\n",
        "use super::data;\n",
        "// use crate::data;\n",
        "\n#[cfg(test)]\nmod tests {\n    use crate::data;\n}\n",
    ] {
        assert_eq!(of("ops::conv", downwards), [""; 0], "{downwards}");
    }
    assert_eq!(of("data", "use crate::ops;\n"), [""; 0]);
}
