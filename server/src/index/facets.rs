//! The values that runs have: what a search can be completed with, and what runs can be grouped by.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::facts::leaves;
use super::fields::{NUMBER_FIELDS, TEXT_FIELDS, names};
use super::listing::{self, Filter};
use super::search::Search;
use crate::error::{BadRow, Result};

/// The most values that are told of a setting.
const MOST_VALUES: usize = 40;

/// The paths of the settings that say which network a run has, and of which version its text is.
const KIND: &str = "network.kind";
const REVISION: &str = "network.revision";

/// The values that runs have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunFacets)]
pub struct Facets {
    /// The tags, in alphabetical order.
    pub tags: Vec<String>,
    /// The sweeps.
    pub sweeps: Vec<String>,
    /// The sources of imported runs, and `vivarium` for the others.
    pub sources: Vec<String>,
    /// The settings, in the order of a RunSpec; those that only some runs have come last.
    pub settings: Vec<SettingFacet>,
    /// The fields that a search compares beside the settings.
    pub fields: Vec<SearchField>,
}

/// A field of a search.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchField {
    /// Its name.
    pub name: &'static str,
    /// Whether it is compared with numbers.
    pub numeric: bool,
}

/// The values of a setting.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingFacet {
    /// Its path.
    pub path: String,
    /// Whether runs differ in it. A setting that an imported run does not state is no difference.
    pub differs: bool,
    /// Its values, at most 40.
    pub values: Vec<Value>,
}

#[derive(Default)]
struct Found {
    /// Its place among the settings.
    order: usize,
    runs: usize,
    values: Vec<Value>,
    trained: HashSet<String>,
    imported: HashSet<String>,
}

/// Reads the values of the runs of a sweep, or of all runs.
pub fn read(connection: &Connection, sweep: Option<String>) -> Result<(Facets, Vec<BadRow>)> {
    let filter = Filter {
        sweep,
        ..Filter::default()
    };
    let (mut tags, mut sweeps, mut sources) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut settings: BTreeMap<String, Found> = BTreeMap::new();
    let (mut runs, mut texts) = (0, HashSet::new());
    let (_, unreadable) = listing::matching(connection, &filter, &Search::default(), |run| {
        tags.extend(run.tags.iter().cloned());
        sweeps.extend(run.sweep.clone());
        sources.extend(run.texts("source").into_iter().map(String::from));
        let imported = run.is_imported();
        if !imported {
            runs += 1;
            let text = |path| run.setting_at(path).map(ToString::to_string);
            texts.insert((text(KIND), text(REVISION)));
        }
        leaves(run.spec(), &mut |path, value| {
            if !settings.contains_key(path) {
                let order = settings.len();
                let found = Found {
                    order,
                    ..Found::default()
                };
                settings.insert(path.to_owned(), found);
            }
            let Some(found) = settings.get_mut(path) else {
                return;
            };
            found.runs += usize::from(!imported);
            let set = if imported {
                &mut found.imported
            } else {
                &mut found.trained
            };
            // Two are a difference, and no more than are told need to be known.
            let is_new = set.len() < MOST_VALUES && set.insert(value.to_string());
            if is_new && found.values.len() < MOST_VALUES && !found.values.contains(value) {
                found.values.push(value.clone());
            }
        });
    })?;
    let kinds: HashSet<_> = texts.iter().map(|(kind, _)| kind).collect();
    // The version of a text says something beside another version of the same text alone.
    let versions_tell = texts.len() > kinds.len();
    let mut settings: Vec<_> = settings.into_iter().collect();
    settings.sort_by_key(|(_, found)| (found.runs < runs, found.order));
    let settings = settings.into_iter().map(|(path, found)| SettingFacet {
        differs: (found.trained.len() > 1 || found.imported.len() > 1)
            && (path != REVISION || versions_tell),
        values: found.values,
        path,
    });
    let sorted = |set: HashSet<String>| {
        let mut all: Vec<_> = set.into_iter().collect();
        all.sort_unstable();
        all
    };
    let facets = Facets {
        tags: sorted(tags),
        sweeps: sorted(sweeps),
        sources: sorted(sources),
        settings: settings.collect(),
        fields: search_fields(),
    };
    Ok((facets, unreadable))
}

fn search_fields() -> Vec<SearchField> {
    let field = |numeric| move |name| SearchField { name, numeric };
    let texts = names(&TEXT_FIELDS).map(field(false));
    texts
        .chain(names(&NUMBER_FIELDS).map(field(true)))
        .collect()
}
