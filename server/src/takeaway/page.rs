//! One HTML file that classifies photos by itself: network, labels, weights, style and modules are in it.
//!
//! The weights are in elements of base64, so that no single text is longer than browsers allow. The modules of
//! `frontend/standalone` and what they import are data URLs in an import map: nothing is loaded from anywhere.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use vivarium_models::links;

use super::Takeaway;
use crate::assets;
use crate::error::{Error, Result};

/// The most weights of a page, in bytes. Browsers need them in memory about three times while a page opens.
const MOST_BYTES: u64 = 768 << 20;

/// The weights in one element, in bytes; a multiple of 3, which base64 writes without padding.
const PART: usize = 12 << 20;

/// The module that starts the page.
const START: &str = "standalone/main.js";

/// The style sheets, in their order.
const STYLES: [&str; 5] = [
    "css/tokens.css",
    "css/base.css",
    "css/components.css",
    "css/predict.css",
    "css/standalone.css",
];

/// The kernels of the networks' operations.
const KERNELS: &str = "standalone/kernels.wasm";

/// Where the weights stand in the template.
const WEIGHTS: &str = "<!--weights-->";

#[derive(Template)]
#[template(path = "takeaway/classifier.html")]
struct Document {
    title: String,
    style: String,
    import_map: String,
    data: String,
    kernels: String,
    icon: String,
}

/// A page that is ready to be written.
pub struct Page {
    /// What stands before the weights, and after them.
    frame: (String, String),
    weights: File,
}

impl Page {
    pub(super) fn of(run: &Takeaway, weights: crate::inspect::target::Checkpoint) -> Result<Self> {
        let mut graph = run.target.graph()?;
        let preprocessing = run.preprocessing(&graph)?;
        let open = || {
            let file = links::open(&weights.path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().map_err(|e| Error::file(&weights.path, e))?;
        if length > MOST_BYTES {
            return Err(Error::Conflict(format!(
                "The network has {} MiB of weights, and a page can hold {} MiB. Take the zip, whose programs have no such \
                 limit.",
                length >> 20,
                MOST_BYTES >> 20
            )));
        }
        // Places in a text mean nothing here.
        graph.nodes.iter_mut().for_each(|node| node.lines.clear());
        let summary = &run.summary;
        let data = json!({
            "name": run.name,
            "version": env!("CARGO_PKG_VERSION"),
            "labels": run.target.started.classes,
            "preprocessing": preprocessing,
            "graph": graph,
            "bytes": length,
            "test": {
                "accuracy": summary.test_accuracy,
                "samples": run.target.started.test_samples,
            },
        });
        let mut style = String::new();
        for path in STYLES {
            style.push_str(&text(path)?);
        }
        let document = Document {
            title: run.name.clone(),
            style,
            import_map: import_map()?,
            data: in_script(&data.to_string()),
            kernels: STANDARD.encode(asset(KERNELS)?),
            icon: STANDARD.encode(asset("icons/favicon.svg")?),
        };
        let html = document.render().map_err(|_| Error::Gone("a template"))?;
        let (before, after) = html
            .split_once(WEIGHTS)
            .ok_or(Error::Gone("a place in a template"))?;
        Ok(Self {
            frame: (before.to_owned(), after.to_owned()),
            weights: file,
        })
    }

    pub(super) fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.frame.0.as_bytes())?;
        loop {
            let mut part = Vec::with_capacity(PART);
            io::Read::by_ref(&mut self.weights)
                .take(PART as u64)
                .read_to_end(&mut part)?;
            if part.is_empty() {
                break;
            }
            let encoded = STANDARD.encode(&part);
            writeln!(
                out,
                "<script type=\"text/plain\" class=\"weights\">{encoded}</script>"
            )?;
        }
        out.write_all(self.frame.1.as_bytes())?;
        out.flush()
    }
}

fn asset(path: &str) -> Result<Vec<u8>> {
    let file = assets::static_file(path).ok_or(Error::Gone("a file of this program"))?;
    Ok(file.data.into_owned())
}

fn text(path: &str) -> Result<String> {
    String::from_utf8(asset(path)?).map_err(|_| Error::Gone("a file of this program"))
}

/// JSON that stays inside its `script` element.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// An import map of all modules. Addresses of data have no folders, so imports are by name: `vivarium/` and the path.
fn import_map() -> Result<String> {
    let mut map = String::from("{\"imports\":{");
    for (at, module) in assets::modules_of(START).into_iter().enumerate() {
        let mut source = assets::module(&module).ok_or(Error::Gone("a module of this program"))?;
        let imports: Vec<_> = assets::imports_of(&source)
            .into_iter()
            .map(str::to_owned)
            .collect();
        for path in imports {
            let name = assets::resolve(&module, &path);
            source = source.replace(&format!("\"{path}\""), &format!("\"vivarium/{name}\""));
        }
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(
            map,
            "{comma}\n\"vivarium/{module}\":\"data:text/javascript;base64,{}\"",
            STANDARD.encode(source)
        );
    }
    map.push_str("}}");
    Ok(map)
}
