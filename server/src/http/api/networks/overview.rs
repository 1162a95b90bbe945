//! The networks and the data sets as the pages of networks list them.

use serde::Serialize;
use serde_json::{Map, Value};
use vivarium_models::data::{DataSet, Library};
use vivarium_models::networks::{NETWORKS, NetworkRow, TextError};

use super::stages::{Stage, stages};
use crate::error::Result;
use crate::networks::OwnNetworks;

/// A network in a list.
#[derive(Serialize)]
pub(in crate::http) struct NetworkInfo {
    name: String,
    title: String,
    summary: String,
    built_in: bool,
    /// When it was saved last, RFC 3339; of a user's text.
    changed: Option<String>,
    /// Parameters for ten classes, with images of its default size or points.
    parameters: Option<u64>,
    /// The sample and the stages of its layers, of which the list draws a small picture; none for a text with a mistake.
    stages: Vec<Stage>,
    /// The mistake of a text that cannot be read.
    error: Option<TextError>,
}

/// A data set, as a text can be checked for it.
#[derive(Serialize)]
pub(in crate::http) struct DataShape {
    set: String,
    title: String,
    /// The shape of a sample with the network's default size.
    input: Vec<usize>,
    classes: usize,
}

/// All networks, as a list shows them.
pub(in crate::http) fn overview(own: &OwnNetworks) -> Result<Vec<NetworkInfo>> {
    let built_in = NETWORKS.iter().map(|row| NetworkInfo::of(row, None));
    let own = own.list()?.into_iter().map(|own| {
        let changed = humantime::format_rfc3339_seconds(own.changed).to_string();
        match own.row() {
            Ok(row) => NetworkInfo::of(&row, Some(changed)),
            Err(error) => NetworkInfo {
                title: own.name.clone(),
                name: own.name,
                summary: String::new(),
                built_in: false,
                changed: Some(changed),
                parameters: None,
                stages: Vec::new(),
                error: Some(error),
            },
        }
    });
    Ok(built_in.chain(own).collect())
}

impl NetworkInfo {
    fn of(row: &NetworkRow, changed: Option<String>) -> Self {
        const CLASSES: usize = 10;
        let size = row.defaults.get("data.size").and_then(Value::as_u64);
        let size = size
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(32);
        let input = match row.dimensions.contains(&3) {
            true => vec![3, size, size],
            false => vec![2],
        };
        let (parameters, stages, error) = match row.graph_of(&Map::new(), &input, CLASSES) {
            Ok(graph) => (Some(graph.parameters()), stages(&graph), None),
            Err(error) => (None, Vec::new(), Some(error)),
        };
        Self {
            name: row.kind.clone(),
            title: row.title.clone(),
            summary: row.summary.clone(),
            built_in: changed.is_none(),
            changed,
            parameters,
            stages,
            error,
        }
    }
}

/// The data sets, with the shapes of their samples for a network with these defaults.
pub(in crate::http) fn shapes(library: &Library, defaults: &Map<String, Value>) -> Vec<DataShape> {
    let shape = |set: DataSet| {
        let side = |path: &str| {
            let given = defaults.get(path).or_else(|| set.defaults.get(path));
            let own = set.fields.iter().find(|field| field.path == path);
            let own = own.and_then(|field| serde_json::from_str(&field.default).ok());
            let value: Option<Value> = given.cloned().or(own);
            value?.as_u64()?.try_into().ok()
        };
        let input = match set.dimensions {
            3 => {
                let size = side("data.size")?;
                vec![side("data.channels")?, size, size]
            }
            points => vec![points],
        };
        Some(DataShape {
            set: set.set.into_owned(),
            title: set.title.into_owned(),
            input,
            classes: set.classes,
        })
    };
    library.sets().into_iter().filter_map(shape).collect()
}
