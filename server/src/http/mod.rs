//! What the server says over HTTP: every route is in [`router`].
//!
//! * [`guard`]: the outermost layer; who may ask at all. [`hosts`]: names and ports. `forwarded`: what a proxy says.
//! * [`change`]: what changes something is carried through, whatever its client does.
//! * [`listen`]: accepts connections, bounded in number and in time; `long_head`: what is told where a
//!   request's head is longer than that. `slow_body`: the least rate of bodies.
//! * [`problem`]: every error becomes a status, and a page or a problem document.
//! * [`mod@pages`], [`assets`], [`modules`]: what people see. [`api`]: what programs ask.

pub mod api;
pub mod assets;
pub mod change;
mod etag;
mod forwarded;
pub mod guard;
pub mod hosts;
pub mod json;
pub mod listen;
mod long_head;
pub mod modules;
pub mod pages;
pub mod problem;
mod query;
mod slow_body;
mod upload;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::routing::{delete, get, patch, post, put};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::base_path;
use crate::datasets::DataSets;
use crate::estimate::Estimator;
use crate::images::{self, Images};
use crate::index::Index;
use crate::inspect::InspectThread;
use crate::reports::{self, Reports};
use crate::selections::{self, Selections};
use crate::supervisor::Supervisor;
use crate::tensorboard::import::Importer;
use change::Changes;
use guard::Guard;

/// A RunSpec or a sweep is a few kilobytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What a form adds to the file in it.
const FORM: usize = 4 * 1024;

/// An id with its quotes, a comma and some space.
const RUN_IN_JSON: usize = 48;

/// A request that changes nothing must be read and answered in this time. A stream is answered when it begins.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// What every handler may use.
#[derive(Clone)]
pub struct App {
    /// The index.
    pub index: Index,
    /// Takes TensorBoard's files in.
    pub importer: Arc<Importer>,
    /// The data sets.
    pub data_sets: Arc<DataSets>,
    /// The data folder, as a command line names it.
    pub data_dir: Arc<std::path::Path>,
    /// The most bytes of an upload.
    pub upload_limit: usize,
    /// Images that people uploaded.
    pub images: Arc<Images>,
    /// What people write.
    pub reports: Arc<Reports>,
    /// Runs under short names.
    pub selections: Arc<Selections>,
    /// The supervisor.
    pub supervisor: Supervisor,
    /// Measures what runs will take.
    pub estimator: Estimator,
    /// Looks into networks.
    pub inspector: InspectThread,
    /// What is being changed.
    pub changes: Changes,
    /// Ends streams.
    pub shutdown: CancellationToken,
    /// When the server started.
    pub started: Instant,
}

/// Every route of the server.
pub fn router(app: App, guard: Guard) -> Router {
    let upload_limit = app.upload_limit;
    let read = pages()
        .nest("/api/v1", reading())
        .route_layer(middleware::from_fn(change::refuse_writes));
    // Whoever leaves ends what nobody else waits for.
    let abandoned = read
        .merge(Router::new().nest("/api/v1", computing()))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            ANSWER_WITHIN,
        ));
    // What changes something takes the time that it takes; an upload is watched piece by piece.
    let change = changing(app.changes.clone()).merge(uploading(app.changes.clone(), upload_limit));
    let site = abandoned
        .merge(Router::new().nest("/api/v1", change))
        .with_state(app)
        .fallback(problem::no_such_page)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn(slow_body::refuse))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::map_response(problem::render))
        .layer(middleware::from_fn_with_state(
            Arc::new(guard),
            guard::admit,
        ))
        .layer(always(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::REFERRER_POLICY, "same-origin"))
        .layer(always(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ))
        .layer(always(
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ));
    // Around the routes, because an address must be the site's own before a route is looked for.
    Router::new()
        .fallback_service(site)
        .layer(middleware::map_request(base_path::strip))
}

/// What people see, and what watches over the server.
fn pages() -> Router<App> {
    Router::new()
        .route("/", get(pages::runs))
        .route("/new", get(pages::new))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/inside", get(pages::inside))
        .route("/compare", get(pages::compare))
        .route("/sweeps/{id}", get(pages::sweep))
        .route("/reports", get(pages::reports))
        .route("/reports/{id}", get(pages::report))
        .route("/data", get(pages::data))
        .route("/static/{*path}", get(assets::static_file))
        .route("/frontend/{*path}", get(assets::frontend_file))
        .route("/favicon.ico", get(assets::favicon))
        .route("/healthz", get(api::health::healthz))
        .route("/metrics", get(api::health::metrics))
}

/// What programs ask for. Nothing here changes anything.
fn reading() -> Router<App> {
    Router::new()
        .route("/runs", get(api::runs::list))
        .route("/runs/{id}", get(api::runs::show))
        .route("/runs/{id}/log", get(api::runs::log))
        .route("/runs/{id}/metrics", get(api::metrics::metrics))
        .route("/runs/{id}/tensorboard", get(api::tensorboard::of_run))
        .route("/runs/{id}/tags", get(api::tensorboard::tags))
        .route("/runs/{id}/boundaries", get(api::points::boundaries))
        .route("/runs/{id}/points", get(api::points::points))
        .route("/runs/{id}/test", get(api::test::test))
        .merge(inside())
        .route("/trash", get(api::runs::trash))
        .route("/tensorboard", get(api::tensorboard::of_runs))
        .route("/metrics", get(api::metrics::of_runs))
        .route("/statistics", get(api::metrics::statistics))
        .route("/sweeps", get(api::sweeps::list))
        .route("/sweeps/{id}", get(api::sweeps::show))
        .route("/reports", get(api::reports::list))
        .route("/reports/{id}", get(api::reports::show))
        .route("/selections/{id}", get(api::selections::show))
        .route("/events", get(api::events::stream))
        .route("/networks", get(api::catalog::networks))
        .route("/datasets", get(api::datasets::list))
        .route("/datasets/{set}/gallery", get(api::datasets::gallery))
        .route(
            "/datasets/{set}/gallery.png",
            get(api::datasets::gallery_png),
        )
        .route("/images", get(api::images::list))
        .route("/images/{file}", get(api::images::show))
        .route("/presets", get(api::catalog::presets))
        .route("/openapi.json", get(api::catalog::openapi))
}

/// What takes a body and computes, and changes nothing.
fn computing() -> Router<App> {
    Router::new()
        .route("/specs/check", post(api::specs::check))
        .route("/specs/estimate", post(api::specs::estimate))
        .route("/sweeps/check", post(api::sweeps::check))
        .route("/sweeps/estimate", post(api::sweeps::estimate))
}

/// What changes something, from a small body or none.
fn changing(changes: Changes) -> Router<App> {
    // Quotes and line ends take two characters in JSON.
    let report_body = DefaultBodyLimit::max(reports::MOST_BYTES * 2 + FORM);
    let run_to_completion = middleware::from_fn_with_state(changes, change::run_to_completion);
    let reports = Router::new()
        .route("/reports", post(api::reports::create))
        .route("/reports/{id}", put(api::reports::save))
        .route_layer(run_to_completion.clone())
        .layer(report_body);
    let selections = Router::new()
        .route("/selections", post(api::selections::create))
        .route_layer(run_to_completion.clone())
        .layer(DefaultBodyLimit::max(
            selections::MOST_RUNS * RUN_IN_JSON + FORM,
        ));
    Router::new()
        .route("/runs", post(api::runs::create))
        .route(
            "/runs/{id}",
            patch(api::runs::label).delete(api::runs::delete),
        )
        .route("/runs/{id}/stop", post(api::runs::stop))
        .route("/runs/{id}/resume", post(api::runs::resume))
        .route("/runs/{id}/restore", post(api::runs::restore))
        .route("/runs/{id}/pinned", put(api::inside::film::pin))
        .route("/runs/{id}/tags", put(api::tensorboard::assign))
        .route("/trash/{id}", delete(api::runs::remove_for_good))
        .route("/sweeps", post(api::sweeps::create))
        .route("/sweeps/{id}/stop", post(api::sweeps::stop))
        .route("/sweeps/{id}/trials", post(api::sweeps::grow))
        .route("/reports/{id}", delete(api::reports::delete))
        .route("/reports/{id}/restore", post(api::reports::restore))
        .route("/datasets/{set}", delete(api::datasets::delete))
        .route(
            "/datasets/{set}/fetch",
            post(api::datasets::fetch).delete(api::datasets::stop_fetch),
        )
        .route(
            "/datasets/drafts/{id}",
            post(api::datasets::accept).delete(api::datasets::discard),
        )
        .route("/images/{file}", delete(api::images::delete))
        .route_layer(run_to_completion)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .merge(reports)
        .merge(selections)
}

/// What takes files.
fn uploading(changes: Changes, limit: usize) -> Router<App> {
    let import = post(api::tensorboard::upload);
    let files = Router::new()
        .route("/datasets", post(api::datasets::upload))
        .route("/tensorboard", import.clone())
        // The earlier name, which the document does not have.
        .route("/boards", import)
        .layer(DefaultBodyLimit::max(limit));
    let images = Router::new()
        .route("/images", post(api::images::create))
        .layer(DefaultBodyLimit::max(images::MOST_BYTES + FORM));
    files
        .merge(images)
        .route_layer(middleware::from_fn_with_state(changes, change::run_upload))
        .layer(middleware::from_fn(upload::drain_refused))
}

/// What looks inside a run's network.
fn inside() -> Router<App> {
    use api::inside::{film, layers, pixel, samples, sheets, sight};
    let layer = Router::new()
        .route("/filters", get(sheets::filters))
        .route("/filters.png", get(sheets::filters_png))
        .route("/features", get(sheets::features))
        .route("/features.png", get(sheets::features_png))
        .route("/values", get(sheets::values))
        .route("/arithmetic", get(pixel::arithmetic))
        .route("/gradient", get(pixel::gradient));
    Router::new()
        .route("/runs/{id}/layers", get(layers::layers))
        .nest("/runs/{id}/layers/{layer}", layer)
        .route("/runs/{id}/predict", get(sight::predict))
        .route("/runs/{id}/attention.png", get(sight::attention))
        .route("/runs/{id}/images/{file}", get(sight::image))
        .route("/runs/{id}/samples", get(samples::samples))
        .route("/runs/{id}/film", get(film::film))
        .route("/runs/{id}/film/{epoch}", get(film::frame))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
