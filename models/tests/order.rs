//! Modules of `models/src` use only modules above them in the table of `lib.rs`.
//!
//! The test reads the sources as text: every `crate::module` and every `super::…` that leads out of a module. Comments
//! and `#[cfg(test)] mod tests` at the end of a file are exempt.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order of the table in `lib.rs`.
fn order(lib: &str) -> Vec<String> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | "));
    let names = rows.filter_map(|row| row.split('`').nth(1));
    names.map(str::to_owned).collect()
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The path of the module that a file holds: `ops/conv/mod.rs` is `["ops", "conv"]`.
fn module(file: &Path) -> Vec<String> {
    let parts = file.with_extension("");
    let mut parts: Vec<_> = parts
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.pop_if(|last| last == "mod" || last == "lib");
    parts
}

/// The code of a file, without comments and without its unit tests.
fn code(text: &str) -> String {
    let end = text
        .find("\n#[cfg(test)]\nmod tests")
        .or_else(|| text.find("\nmod tests {"));
    let lines = text[..end.unwrap_or(text.len())].lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.map(|line| format!("{line}\n")).collect()
}

/// The identifiers that may follow a path's prefix: one, or several in braces.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let text = text.trim_start().chars();
        text.take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(list) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let mut heads = vec![name(list)];
    let mut depth = 1;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => heads.push(name(&list[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// The top-level modules that a file's code names.
fn uses(code: &str, module: &[String]) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let starts_here =
        |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
    for (at, prefix) in code.match_indices("crate::") {
        if starts_here(at) || code[..at].ends_with('$') {
            used.extend(heads(&code[at + prefix.len()..]));
        }
    }
    for (at, _) in code.match_indices("super::") {
        if !starts_here(at) {
            continue;
        }
        let mut rest = &code[at..];
        let mut up = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, up) = (after, up + 1);
        }
        if up >= module.len() {
            used.extend(heads(rest));
        }
    }
    used
}

/// Every use of a module by one above it, as `file uses module`.
fn faults(order: &[String], files: &[(Vec<String>, String)]) -> Vec<String> {
    let place = |name: &str| order.iter().position(|of| of == name);
    let mut faults = Vec::new();
    for (module, text) in files {
        let Some(own) = module.first().and_then(|name| place(name)) else {
            continue;
        };
        for used in uses(&code(text), module) {
            if place(&used).is_some_and(|used| used > own) {
                faults.push(format!("{} uses {used}", module.join("::")));
            }
        }
    }
    faults
}

#[test]
fn every_module_uses_only_modules_above_it_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
    let order = order(&lib);
    let files: Vec<_> = sources(&root)
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            (module(path.strip_prefix(&root).unwrap()), text)
        })
        .collect();
    let modules: BTreeSet<_> = files.iter().filter_map(|(path, _)| path.first()).collect();
    assert_eq!(
        modules,
        order.iter().collect(),
        "the table of lib.rs names every module"
    );
    assert_eq!(faults(&order, &files), [""; 0]);
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
