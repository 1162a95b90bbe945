//! The files of `static/` and `frontend/`, embedded in the binary, and what the modules of `frontend/` import.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest as _, Sha256};

/// The text before the path in an `import` or `export`.
const BEFORE_PATH: [&str; 2] = [" from \"", "import \""];

#[derive(Embed)]
#[folder = "../static/"]
struct Static;

/// Browser code: the modules, without tests and tools.
#[derive(Embed)]
#[folder = "../frontend/"]
#[include = "*.js"]
#[exclude = "node_modules/*"]
#[exclude = "tests/*"]
#[exclude = "*.config.js"]
struct Frontend;

/// A file of `static/`.
pub(crate) fn static_file(path: &str) -> Option<EmbeddedFile> {
    Static::get(path)
}

/// A module of `frontend/`.
pub(crate) fn frontend_file(path: &str) -> Option<EmbeddedFile> {
    Frontend::get(path)
}

/// The source of a module of `frontend/`, or of one of `static/` with its prefix.
pub(crate) fn module(path: &str) -> Option<String> {
    let file = match path.strip_prefix("static/") {
        Some(path) => Static::get(path),
        None => Frontend::get(path),
    };
    String::from_utf8(file?.data.into_owned()).ok()
}

/// A hash of the browser code: only tabs with the same code share a worker.
pub(crate) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut names: Vec<_> = Frontend::iter().collect();
        names.sort_unstable();
        let mut hash = Sha256::new();
        for name in names {
            hash.update(name.as_bytes());
            if let Some(file) = Frontend::get(&name) {
                hash.update(file.metadata.sha256_hash());
            }
        }
        let hash = hash.finalize();
        hex::encode(&hash[..8])
    });
    &VERSION
}

/// A module and all that it imports, by their paths below `frontend/`, or with the prefix `static/`.
pub(crate) fn modules_of(module: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(module, &mut found);
    found
}

/// The paths that a module imports, as they stand in its source.
pub(crate) fn imports_of(source: &str) -> Vec<&str> {
    let lines = source.lines().filter(|line| {
        let code = line.trim_start();
        code.starts_with("import ") || code.starts_with("export ") || code.starts_with("} from ")
    });
    lines.filter_map(path_in).collect()
}

/// The path of an import in a line.
fn path_in(line: &str) -> Option<&str> {
    let mut after = BEFORE_PATH
        .iter()
        .filter_map(|before| line.split_once(before));
    let (path, _) = after.next()?.1.split_once('"')?;
    Some(path)
}

fn walk(module: &str, found: &mut BTreeSet<String>) {
    if !found.insert(module.to_owned()) {
        return;
    }
    let Some(source) = self::module(module) else {
        return;
    };
    for path in imports_of(&source) {
        walk(&resolve(module, path), found);
    }
}

/// Resolves a relative path from a module; out of `frontend/` it leads to `static/`.
pub(crate) fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
