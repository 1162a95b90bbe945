//! The browser modules of a page, so that it can preload all of them: a browser that discovers imports one after the
//! other waits once per level.

use std::fmt::Write as _;

use crate::assets;
use crate::base_path;

/// The elements of a page's head that load `page` (below `frontend/`) and all its imports, and identify the build.
pub fn script(page: &str) -> String {
    let mut found = assets::modules_of(page);
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
        for module in assets::modules_of("pages/compare.js") {
            assert!(assets::module(&module).is_some(), "{module}");
        }
    }
}
