//! Networks from files.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::atomic_file::INCOMING;
use crate::base_path;
use crate::blocking::{blocking, on_thread};
use crate::error::Error;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::upload::{Form, plain_file_name, receive, within};
use crate::networks::{Import, ImportedNetwork};

/// A form with an ONNX file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read piece by piece")]
struct NetworkForm {
    #[schema(format = Binary)]
    file: String,
}

/// Imports that are read at a time: each has the whole file in memory.
static IMPORTS: Semaphore = Semaphore::const_new(1);

/// Import a network from an ONNX file, or a safetensors file of a network that is here.
///
/// It becomes a text of the user, and runs of it may start from its weights.
#[utoipa::path(
    post,
    path = "/networks/import",
    request_body(content = NetworkForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The network", body = ImportedNetwork))
)]
pub(in crate::http) async fn import(
    State(app): State<App>,
    Form(mut form): Form,
) -> Result<Response, Problem> {
    loop {
        let Some(field) = within(form.next_field()).await? else {
            let detail = "The form holds no file.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "No file", detail));
        };
        let Some(title) = field.file_name().map(plain_file_name) else {
            continue;
        };
        let folder = app.data_dir.join("weights");
        let scratch = blocking(move || {
            std::fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
            let scratch = tempfile::NamedTempFile::with_prefix_in(INCOMING, &folder);
            scratch.map_err(|e| Error::file(&folder, e))
        });
        let scratch = scratch.await?;
        receive(field, scratch.path()).await?;
        let _turn = IMPORTS
            .acquire()
            .await
            .map_err(|_| Error::Gone("the import"))?;
        let imported = on_thread("import", move || {
            let folder = app.data_dir.join("weights");
            Import::read(&app.networks, &folder, scratch.path(), &title)?.keep()
        });
        let imported = imported.await?;
        let page = base_path::url(&format!("/networks/{}", imported.name));
        let location = [(header::LOCATION, page)];
        return Ok((StatusCode::CREATED, location, Json(imported)).into_response());
    }
}
