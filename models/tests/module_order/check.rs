//! Whether the modules of a crate use only modules above them in the table or list of its `lib.rs`.
//!
//! The sources are read as text: every `crate::module` and every `super::…` that leads out of a module. Comments and
//! `#[cfg(test)] mod tests` at the end of a file are exempt.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order of `lib.rs`: the first name in each row of its table, or in each item of its list.
fn order(lib: &str) -> Vec<String> {
    let rows = lib
        .lines()
        .filter(|line| line.starts_with("//! | ") || line.starts_with("//! * "));
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
pub(super) fn faults(order: &[String], files: &[(Vec<String>, String)]) -> Vec<String> {
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

/// The faults of the crate whose sources are in `src`, whose `lib.rs` must name every module.
pub(super) fn faults_of_crate(src: &Path) -> Vec<String> {
    let order = order(&fs::read_to_string(src.join("lib.rs")).unwrap());
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        (module(path.strip_prefix(src).unwrap()), text)
    };
    let mut files: Vec<_> = sources(src).iter().map(read).collect();
    // A binary's `main` uses the crate from outside.
    files.retain(|(path, _)| *path != ["main"]);
    let modules: BTreeSet<_> = files.iter().filter_map(|(path, _)| path.first()).collect();
    assert_eq!(modules, order.iter().collect(), "lib.rs names every module");
    faults(&order, &files)
}
