//! The browser modules of a page, so that it can preload all of them: a browser that discovers imports one after the
//! other waits once per level.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::assets;
use crate::base_path;

/// The text before the path in an `import` or `export`.
const BEFORE_PATH: [&str; 2] = [" from \"", "import \""];

/// The elements of a page's head that load `page` (below `frontend/`) and all its imports, and identify the build.
pub fn script(page: &str) -> String {
    let mut found = BTreeSet::new();
    walk(page, &mut found);
    found.remove(page);
    let source = base_path::url(&format!("/frontend/{page}"));
    let mut html = format!(
        "<meta name=\"assets\" content=\"{}\">\n<script type=\"module\" src=\"{source}\"></script>",
        assets::version()
    );
    for module in &found {
        let place = if module.starts_with("static/") {
            ""
        } else {
            "frontend/"
        };
        let address = base_path::url(&format!("/{place}{module}"));
        let _ = write!(html, "\n<link rel=\"modulepreload\" href=\"{address}\">");
    }
    html
}

fn walk(module: &str, found: &mut BTreeSet<String>) {
    if !found.insert(module.to_owned()) {
        return;
    }
    let Some(source) = assets::module(module) else {
        return;
    };
    let lines = source.lines().filter(|line| {
        let code = line.trim_start();
        code.starts_with("import ") || code.starts_with("export ") || code.starts_with("} from ")
    });
    for line in lines {
        let path = BEFORE_PATH
            .iter()
            .find_map(|before| line.split_once(before))
            .and_then(|(_, rest)| rest.split_once('"'));
        if let Some((path, _)) = path {
            walk(&resolve(module, path), found);
        }
    }
}

/// Resolves a relative path from a module; out of `frontend/` it leads to `static/`.
fn resolve(from: &str, path: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_a_page_imports_is_asked_for_at_once_and_exists() {
        let html = script("pages/run.js");
        for module in [
            "frontend/chart/chart.js",
            "frontend/lib/dom.js",
            "frontend/run/curves.js",
            "frontend/chart/plot.js",
        ] {
            let link = format!("<link rel=\"modulepreload\" href=\"/{module}\">");
            assert!(html.contains(&link), "{module} in {html}");
        }
        assert_eq!(html.matches("pages/run.js").count(), 1);
        let mut found = BTreeSet::new();
        walk("pages/compare.js", &mut found);
        for module in found {
            assert!(assets::module(&module).is_some(), "{module}");
        }
    }
}
