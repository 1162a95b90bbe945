//! The modules of the server use only those above them in the list of `lib.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order of the list: `//! * [`name`]: …` or without brackets.
fn listed(lib: &str) -> Vec<String> {
    let items = lib.lines().filter_map(|line| line.strip_prefix("//! * "));
    let names = items.filter_map(|item| item.split('`').nth(1));
    names.map(str::to_owned).collect()
}

/// The modules that `lib.rs` declares.
fn declared(lib: &str) -> BTreeSet<String> {
    let lines = lib.lines().map(|line| line.trim_start_matches("pub "));
    let names = lines.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of the crate that a source names: `crate::name` and `crate::{name, name::item}`.
fn used(source: &str) -> BTreeSet<String> {
    let code: Vec<_> = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || "_$".contains(before)) {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let mut names = vec![rest];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            names = vec![group];
            for (at, letter) in group.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(&group[at + 1..]),
                    _ => {}
                }
            }
        }
        for name in names {
            let name = name.trim_start();
            let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            found.insert(name[..end.unwrap_or(name.len())].to_owned());
        }
    }
    found
}

/// The uses that run upwards, as `file uses module`.
fn upward(src: &Path) -> Vec<String> {
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let order = listed(&lib);
    let place = |module: &str| order.iter().position(|name| name == module);
    assert_eq!(
        order.iter().cloned().collect::<BTreeSet<_>>(),
        declared(&lib)
    );
    let mut files = Vec::new();
    sources(src, &mut files);
    let mut found = Vec::new();
    for file in files {
        let path = file
            .strip_prefix(src)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(own) = place(module) else { continue };
        let source = fs::read_to_string(&file).unwrap();
        let above = used(&source).into_iter();
        let above = above.filter(|name| place(name).is_some_and(|other| other > own));
        found.extend(above.map(|name| format!("{path} uses {name}")));
    }
    found
}

#[test]
fn modules_use_only_those_above_them_in_the_list() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(upward(&src), Vec::<String>::new());
}

#[test]
fn an_import_that_runs_upwards_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "lib.rs",
        "//! * [`low`]: a.\n//! * `middle`: b.\n//! * [`high`]: c.\n\npub mod high;\npub mod low;\nmod middle;\n",
    );
    write("high.rs", "use crate::{low, middle::{self, Thing}};\n");
    write("middle/mod.rs", "use crate::low; // and not crate::high\n");
    write("middle/part.rs", "use crate::{low::{self, a}, high::b};\n");
    write("low.rs", "fn f() { crate::middle::g() }\n");
    let mut found = upward(folder.path());
    found.sort();
    assert_eq!(found, ["low.rs uses middle", "middle/part.rs uses high"]);
}
