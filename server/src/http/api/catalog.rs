//! What there is to choose from, and the description of the API.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::form::{self, FormNetwork, FormTable};
use vivarium_models::networks::revision;

use super::openapi::DOCUMENT;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::networks::OwnNetworks;
use crate::presets::{self, Offer};

/// Experiments to start from.
#[derive(Serialize, ToSchema)]
pub struct Presets {
    presets: Vec<Offer>,
}

/// Experiments that start with one click.
#[utoipa::path(
    get,
    path = "/presets",
    responses((status = 200, description = "The presets", body = Presets))
)]
pub async fn presets(State(app): State<App>) -> Result<Json<Presets>> {
    let presets = blocking(move || Ok(presets::offers(&app.data_sets.library))).await?;
    Ok(Json(Presets { presets }))
}

/// The settings of a run: their labels, defaults and choices, with networks and data sets.
#[utoipa::path(
    get,
    path = "/form",
    responses((status = 200, description = "The fields", body = FormTable))
)]
pub async fn form(State(app): State<App>) -> Result<Json<FormTable>> {
    Ok(Json(blocking(move || form_table(&app)).await?))
}

/// The table of fields, with the networks of users, as this server offers them.
pub(in crate::http) fn form_table(app: &App) -> Result<FormTable> {
    let mut form = form::table(&app.data_sets.library);
    if !app.supervisor.has_scheduler() {
        form = form.without_resources();
    }
    form.networks.extend(own_networks(&app.networks)?);
    Ok(form)
}

/// The networks of users that can be read, as choices of the form.
fn own_networks(networks: &OwnNetworks) -> Result<Vec<FormNetwork>> {
    let rows = networks
        .list()?
        .into_iter()
        .filter_map(|own| own.row().ok());
    Ok(rows
        .map(|row| FormNetwork {
            revision: Some(revision(row.source())),
            ..FormNetwork::of(&row)
        })
        .collect())
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = 200, description = "OpenAPI 3.1", body = Value))
)]
pub async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use serde_json::{Map, json};
    use vivarium_models::data::{self, ImportLimits, Library};
    use vivarium_models::spec::{Field, FieldKind, Group};

    use super::*;

    /// The words for settings that pages about runs need, which have no form.
    #[derive(Default)]
    struct SettingWords {
        /// By path.
        settings: Map<String, Value>,
        /// By network, where its words are others.
        of_networks: Map<String, Value>,
    }

    impl SettingWords {
        fn of(form: &FormTable) -> Self {
            let mut words = Self::default();
            for group in form.groups {
                words.add_group(group);
            }
            let of_groups = form.groups.iter().flat_map(|group| group.variants);
            let shared = form
                .common
                .iter()
                .chain(of_groups.flat_map(|variant| variant.fields))
                .chain(form.data_sets.iter().flat_map(|set| set.fields.iter()));
            for field in shared {
                words.add(&field.path, of_field(field));
            }
            words.add_networks(&form.networks);
            words
        }

        /// What most networks say of an option stands for all, those of users too.
        fn add_networks(&mut self, networks: &[FormNetwork]) {
            let fields = || {
                let each = networks.iter();
                each.flat_map(|of| of.fields.iter().map(move |field| (of, field)))
            };
            let said_by = |path: &str, words: &Value| {
                let same = fields().filter(|(_, of)| of.path == path && of_field(of) == *words);
                same.count()
            };
            let mut by_popularity: Vec<_> = fields()
                .map(|(of, field)| (of, field, of_field(field)))
                .collect();
            by_popularity.sort_by_cached_key(|(_, field, words)| {
                std::cmp::Reverse(said_by(&field.path, words))
            });
            for (network, field, own) in by_popularity {
                if self.add(&field.path, own.clone()) != own {
                    let others = self.of_networks.entry(&network.kind).or_insert(json!({}));
                    others[&*field.path] = own;
                }
            }
        }

        /// Adds the words of a setting unless it has some, and returns those that it has.
        fn add(&mut self, path: &str, words: Value) -> Value {
            self.settings.entry(path).or_insert(words).clone()
        }

        fn add_group(&mut self, group: &Group) {
            let mut own = json!({"label": group.label});
            if group.nullable {
                own["null"] = json!(if group.variants.len() == 1 {
                    "Off"
                } else {
                    "None"
                });
            }
            self.add(group.path, own);
            if let Some(selector) = group.selector {
                let variants = group.variants.iter();
                let choices: Map<_, _> = variants
                    .map(|of| (of.value.unwrap_or_default().to_owned(), json!(of.label)))
                    .collect();
                let path = format!("{}.{selector}", group.path);
                self.add(&path, json!({"label": group.label, "choices": choices}));
            }
        }

        /// A module of the browser code.
        fn module(&self) -> String {
            let pretty = |words| serde_json::to_string_pretty(words).unwrap();
            format!(
                "// The words of the form for settings. Generated from its table by scripts/refresh-api.\n\n\
                 /** `null`: what an empty field means. @typedef {{{{ label: string, null?: string, choices?: {{ [value: string]: string }} }}}} SettingWords */\n\n\
                 /** By path. @type {{{{ [path: string]: SettingWords }}}} */\n\
                 export const SETTINGS = {};\n\n\
                 /** By network and path, where a network has words of its own. @type {{{{ [kind: string]: {{ [path: string]: SettingWords }} }}}} */\n\
                 export const OF_NETWORKS = {};\n",
                pretty(&self.settings),
                pretty(&self.of_networks),
            )
        }
    }

    fn of_field(field: &Field) -> Value {
        let mut words = json!({"label": field.label});
        if let Some(empty) = field.null_label {
            words["null"] = json!(empty);
        }
        // The versions of labels are those of one set.
        if let FieldKind::Choice { options } = &field.kind
            && field.path != "data.version"
        {
            let options = options.iter();
            let choices: Map<_, _> = options
                .map(|of| (of.value.clone().into_owned(), json!(of.label)))
                .collect();
            words["choices"] = json!(choices);
        }
        words
    }

    /// A library with a set of photos, which has fields that no other set has.
    fn library_with_photos() -> (tempfile::TempDir, Library) {
        let folder = tempfile::tempdir().unwrap();
        let photos = folder.path().join("photos");
        for name in ["cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.png"] {
            let path = photos.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            RgbImage::new(20, 16).save(path).unwrap();
        }
        let library = Library::in_folder(folder.path().join("datasets"));
        let limits = ImportLimits::default();
        let import = data::import(&library, "pets", "Pets", &photos, &limits, &|_, _| true);
        library
            .publish(import.unwrap().ready, "pets", false)
            .unwrap();
        (folder, library)
    }

    #[test]
    fn the_copy_in_the_browser_code_is_current() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../frontend/lib/setting-table.js"
        );
        let (_folder, library) = library_with_photos();
        let text = SettingWords::of(&form::table(&library)).module();
        if std::env::var_os("REFRESH").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let copy = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            copy == text,
            "frontend/lib/setting-table.js is stale. Refresh it: scripts/refresh-api"
        );
    }
}
