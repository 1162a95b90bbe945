//! Names, tags and notes of runs.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};
use vivarium_models::spec::FieldError;

use super::run_as_it_is;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::api::{RunPath, run_id};
use crate::http::json::{Body, given};
use crate::index::run_labels;
use crate::index::runs::{self as rows, Run};

/// The labels that people give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = tags)]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, max_length = 65536)]
    notes: Option<String>,
}

fn tags() -> Array {
    let tag = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(40));
    ArrayBuilder::new().items(tag).max_items(Some(32)).build()
}

impl Labels {
    fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let mut refuse = |path: String, value: &str, message: &str| {
            errors.push(FieldError::new(&path, &Value::from(value), message));
        };
        let is_label = |text: &str, most: usize| {
            !text.trim().is_empty()
                && text.chars().count() <= most
                && !text.chars().any(char::is_control)
        };
        if let Some(name) = self.name.as_deref().filter(|name| !is_label(name, 200)) {
            refuse(
                "name".into(),
                name,
                "must have 1 to 200 characters, none of them a control character",
            );
        }
        let tags = self.tags.as_deref().unwrap_or_default();
        for (i, tag) in tags
            .iter()
            .enumerate()
            .filter(|(_, tag)| !is_label(tag, 40))
        {
            refuse(
                format!("tags.{i}"),
                tag,
                "must have 1 to 40 characters, none of them a control character",
            );
        }
        if tags.len() > 32 {
            refuse("tags".into(), "", "must be at most 32");
        }
        if let Some(notes) = self
            .notes
            .as_deref()
            .filter(|notes| notes.len() > 64 * 1024)
        {
            refuse("notes".into(), &notes[..0], "must be at most 64 KiB");
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Spec(errors))
        }
    }
}

/// Name, tag and annotate a run.
#[utoipa::path(
    patch,
    path = "/runs/{id}",
    params(RunPath),
    request_body = Labels,
    responses((status = 200, description = "The run", body = Run))
)]
pub async fn label(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(labels): Body<Labels>,
) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    labels.check()?;
    app.index
        .write(move |w| {
            rows::get(w, id)?;
            let name = labels.name.as_deref().map(str::trim);
            run_labels::set(w, id, name, labels.tags.as_deref(), labels.notes.as_deref())
        })
        .await?;
    run_as_it_is(&app, id).await
}
