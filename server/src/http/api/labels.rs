//! Labels of data sets: their versions and corrections, and the images that they are of.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use vivarium_models::data::{LabelChange, Labels};

use super::inside::params::Params;
use super::label_issues::Folds;
use super::sweeps;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::api::openapi::Binary;
use crate::http::etag::{Caching, ETag};
use crate::http::json::{Body, given};
use crate::http::query::Pairs;
use crate::index::runs as rows;

/// The longest side of an image that is shown, in pixels.
const MOST_SIDE: usize = 1024;

/// The labels of a data set.
#[derive(Serialize, ToSchema)]
pub struct SetLabels {
    /// The set's name.
    set: String,
    /// Its name for people.
    title: String,
    /// The names of the classes.
    classes: Vec<String>,
    /// The hash of the images and their imported labels: another one is another set under the same name.
    sha256: String,
    /// Images in all.
    images: usize,
    /// The version that new runs take; `imported` for the labels that were imported.
    version: String,
    /// All versions: the imported labels, then the newest first.
    versions: Vec<LabelVersion>,
    /// What the version changes, by the place of the image in the set.
    corrections: Vec<LabelCorrection>,
    /// Images that somebody looked at and left as they are.
    kept: Vec<KeptLabel>,
    /// The sweeps over the folds of this set, the newest first.
    checks: Vec<LabelCheck>,
}

impl SetLabels {
    /// The set's name for people.
    pub(in crate::http) fn title(&self) -> &str {
        &self.title
    }

    /// The ETag of a set's labels: whoever sends it with a change has seen these images with these labels.
    fn etag_of(sha256: &str, version: &str) -> String {
        format!("{}-{version}", sha256.get(..16).unwrap_or(sha256))
    }

    /// Its ETag, in quotes.
    pub(in crate::http) fn etag(&self) -> String {
        format!("\"{}\"", Self::etag_of(&self.sha256, &self.version))
    }

    /// The answer, with its ETag.
    fn respond(self) -> Response {
        ([(header::ETAG, self.etag())], Json(self)).into_response()
    }
}

/// A version of a set's labels.
#[derive(Serialize, ToSchema)]
pub struct LabelVersion {
    /// Its name: the hash of the labels, or `imported`.
    version: String,
    /// When it was made first, RFC 3339; `null` for the labels that were imported.
    #[schema(format = DateTime)]
    created: Option<String>,
    /// Images of another class than they were imported with.
    relabelled: usize,
    /// Images that are in no split.
    excluded: usize,
    /// Runs that use it.
    runs: usize,
}

/// A label that differs from the one that was imported.
#[derive(Serialize, ToSchema)]
pub struct LabelCorrection {
    /// The place of the image in the set, from 0.
    sample: u32,
    /// The path of a photo in what was imported; `null` for images without one.
    name: Option<String>,
    /// The class with which it was imported.
    imported: u32,
    /// Its class; `null` where it is excluded.
    class: Option<u32>,
}

/// An image that somebody looked at and left as it is.
#[derive(Serialize, ToSchema)]
pub struct KeptLabel {
    /// The place of the image in the set, from 0.
    sample: u32,
    /// The path of a photo in what was imported; `null` for images without one.
    name: Option<String>,
    /// Its class; `null` where it is excluded.
    class: Option<u32>,
}

/// A sweep over the folds of a set.
#[derive(Serialize, ToSchema)]
pub struct LabelCheck {
    /// Its id.
    sweep: String,
    /// Its page.
    url: String,
    /// The name that its runs begin with.
    name: String,
    /// The number of folds.
    folds: usize,
}

/// Changes of labels.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelChanges {
    /// The version to start from; by default the current one.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    from: Option<String>,
    /// In this order.
    #[serde(default)]
    changes: Vec<LabelEdit>,
}

/// A change of the label of one image.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabelEdit {
    /// Gives it a class.
    Relabel {
        /// The place of the image in the set, from 0.
        sample: u32,
        /// The name of the class.
        class: String,
    },
    /// Takes it out of all splits.
    Exclude {
        /// The place of the image in the set, from 0.
        sample: u32,
    },
    /// Gives it back the class with which it was imported.
    Restore {
        /// The place of the image in the set, from 0.
        sample: u32,
    },
    /// Leaves it as it is, and takes it off the list of suspected mistakes.
    Keep {
        /// The place of the image in the set, from 0.
        sample: u32,
    },
}

/// The labels of a data set: versions, corrections, and the sweeps that look for mistakes.
#[utoipa::path(
    get,
    path = "/datasets/{set}/labels",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 200, description = "The labels", body = SetLabels))
)]
pub async fn show(State(app): State<App>, Path(set): Path<String>) -> Result<Response> {
    Ok(of_set(&app, set).await?.respond())
}

/// The labels of a set.
pub(in crate::http) async fn of_set(app: &App, set: String) -> Result<SetLabels> {
    let (data_sets, name) = (app.data_sets.clone(), set.clone());
    let labels = blocking(move || {
        data_sets.labels.stored(&name)?;
        Ok(data_sets.library.labels(&name)?)
    })
    .await?;
    told(app, set, labels).await
}

/// Change the labels of a data set. The result is a version of its own, which new runs take.
///
/// The same labels have the same version, in whatever order they were changed. Runs on other versions keep them, and the
/// split is the same for all. With `If-Match`, nothing is changed where the labels or the images are no longer those of the
/// ETag.
#[utoipa::path(
    patch,
    path = "/datasets/{set}/labels",
    params(
        ("set" = String, Path, description = "The data set's name"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the labels that the change is made to")
    ),
    request_body = LabelChanges,
    responses(
        (status = 200, description = "The labels", body = SetLabels),
        (status = 412, description = "They were changed elsewhere, or the set was replaced")
    )
)]
pub async fn change(
    State(app): State<App>,
    Path(set): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<LabelChanges>,
) -> Result<Response> {
    let expected = if_match(&headers);
    let (data_sets, name) = (app.data_sets.clone(), set.clone());
    let labels = blocking(move || {
        data_sets.labels.stored(&name)?;
        let found = data_sets.library.find(&name).and_then(|set| set.metadata);
        let classes = found.map(|metadata| metadata.classes).unwrap_or_default();
        let changes: Vec<LabelChange> = asked
            .changes
            .into_iter()
            .enumerate()
            .map(|(at, edit)| edit.read(at, &classes))
            .collect::<Result<_>>()?;
        let is_expected = |sha256: &str, version: &str| {
            expected
                .as_ref()
                .is_none_or(|tag| *tag == SetLabels::etag_of(sha256, version))
        };
        let changed = data_sets
            .labels
            .change(&name, asked.from.as_deref(), &changes, is_expected);
        changed.map_err(|error| match error {
            Error::Models(vivarium_models::Error::Setting { path, message }) => {
                let path = if path == "data.version" {
                    "from"
                } else {
                    "changes"
                };
                Error::field(path, json!(asked.from), message)
            }
            error => error,
        })
    })
    .await?;
    Ok(told(&app, set, labels).await?.respond())
}

/// The ETag in `If-Match`.
fn if_match(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(header::IF_MATCH)?.to_str().ok()?.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    (tag != "*").then(|| tag.to_owned())
}

impl LabelEdit {
    /// The change; `at` is its place in the request.
    fn read(self, at: usize, classes: &[String]) -> Result<LabelChange> {
        Ok(match self {
            Self::Relabel { sample, class } => {
                let Some(found) = classes.iter().position(|of| *of == class) else {
                    let message =
                        format!("must be one of the set's classes: {}", classes.join(", "));
                    return Err(Error::field(&format!("changes.{at}.class"), class, message));
                };
                LabelChange::Relabel {
                    sample,
                    class: found as u32,
                }
            }
            Self::Exclude { sample } => LabelChange::Exclude { sample },
            Self::Restore { sample } => LabelChange::Restore { sample },
            Self::Keep { sample } => LabelChange::Keep { sample },
        })
    }
}

/// What is said of a set's labels.
async fn told(app: &App, set: String, labels: Labels) -> Result<SetLabels> {
    let pictures = app.data_sets.labels.pictures(&set).await?;
    let of = set.clone();
    let runs = app
        .index
        .read(move |c| rows::count_by_version(c, &of))
        .await?;
    let checks = app.supervisor.sweeps().await?;
    let checks = checks.iter().filter_map(|(id, sweep)| {
        let folds = Folds::of(&sweep.spec.base, &sweep.spec.grid)?;
        (folds.set == set).then(|| LabelCheck {
            sweep: id.clone(),
            url: sweeps::url(id),
            name: sweep.spec.base["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            folds: folds.count,
        })
    });
    let checks = checks.collect();
    let data_sets = app.data_sets.clone();
    blocking(move || {
        let found = data_sets.library.find(&set);
        let metadata = found.as_ref().and_then(|set| set.metadata.clone());
        let versions = data_sets.library.label_versions(&set)?;
        let corrections = labels
            .corrections
            .iter()
            .map(|(sample, class)| LabelCorrection {
                sample: *sample,
                name: pictures.name(*sample as usize).map(str::to_owned),
                imported: labels.imported[*sample as usize],
                class: *class,
            });
        let kept = labels.reviewed.iter().map(|sample| KeptLabel {
            sample: *sample,
            name: pictures.name(*sample as usize).map(str::to_owned),
            class: labels.class(*sample),
        });
        Ok(SetLabels {
            kept: kept.collect(),
            sha256: metadata
                .as_ref()
                .map(|metadata| metadata.sha256.clone())
                .unwrap_or_default(),
            title: found.map_or_else(|| set.clone(), |set| set.title.into_owned()),
            classes: metadata
                .map(|metadata| metadata.classes)
                .unwrap_or_default(),
            images: labels.imported.len(),
            corrections: corrections.collect(),
            version: labels.version,
            versions: versions
                .into_iter()
                .map(|version| LabelVersion {
                    runs: runs.get(&version.name).copied().unwrap_or_default(),
                    version: version.name,
                    created: version.created,
                    relabelled: version.relabelled,
                    excluded: version.excluded,
                })
                .collect(),
            checks,
            set,
        })
    })
    .await
}

/// The size of a picture.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the handler reads")]
pub struct PictureParams {
    /// The most pixels of its longer side; 256 by default.
    #[param(minimum = 1, maximum = 1024)]
    size: Option<usize>,
}

/// An image of a data set, as it was imported.
#[utoipa::path(
    get,
    path = "/datasets/{set}/samples/{file}",
    params(
        ("set" = String, Path, description = "The data set's name"),
        ("file" = String, Path, description = "The place of the image in the set, from 0, with `.png` behind"),
        PictureParams
    ),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn picture(
    State(app): State<App>,
    Path((set, file)): Path<(String, String)>,
    Query(query): Pairs,
    headers: HeaderMap,
) -> Result<Response> {
    let size = Params::new(query).number("size")?.unwrap_or(256);
    if !(1..=MOST_SIDE).contains(&size) {
        let message = format!("must be between 1 and {MOST_SIDE}");
        return Err(Error::field("size", size, message));
    }
    let none = || Error::NotFound(format!("image “{file}” of this set"));
    let sample = file
        .strip_suffix(".png")
        .and_then(|place| place.parse().ok());
    let sample: usize = sample.ok_or_else(none)?;
    let pictures = app.data_sets.labels.pictures(&set).await?;
    if sample >= pictures.len() {
        return Err(none());
    }
    let etag = ETag::new(
        format!("{}-{sample}-{size}", &pictures.sha256[..16]),
        Caching::Revalidate,
    );
    if let Some(response) = etag.not_modified(&headers) {
        return Ok(response);
    }
    let png = app.data_sets.labels.png(pictures, sample, size).await?;
    Ok(etag.respond("image/png", png))
}
