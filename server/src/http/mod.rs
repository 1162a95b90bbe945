//! What the server says over HTTP: every route is in [`router`].
//!
//! * [`guard`]: the outermost layer; who may ask at all. [`hosts`]: names and ports. `forwarded`: what a proxy says.
//! * [`listen`]: accepts connections, bounded in number and in time.
//! * [`problem`]: every error becomes a status, and a page or a problem document.
//! * [`pages`], [`assets`], [`modules`]: what people see. [`api`]: what programs ask.

pub mod api;
pub mod assets;
mod forwarded;
pub mod guard;
pub mod hosts;
pub mod json;
pub mod listen;
pub mod modules;
pub mod pages;
pub mod problem;
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

use crate::boards::import::Boards;
use crate::datasets::DataSets;
use crate::estimate::Estimator;
use crate::images::{self, Images};
use crate::index::Index;
use crate::inspect::Inside;
use crate::reports::{self, Reports};
use crate::supervisor::Supervisor;
use guard::Guard;

/// A RunSpec or a sweep is a few kilobytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What a form adds to the file in it.
const FORM: usize = 4 * 1024;

/// A request must be read and answered in this time. A stream is answered when it begins.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// What every handler may use.
#[derive(Clone)]
pub struct App {
    /// The index.
    pub index: Index,
    /// Takes TensorBoard's files in.
    pub boards: Arc<Boards>,
    /// The data sets.
    pub data_sets: Arc<DataSets>,
    /// The most bytes of an upload.
    pub upload_limit: usize,
    /// Images that people uploaded.
    pub images: Arc<Images>,
    /// What people write.
    pub reports: Arc<Reports>,
    /// The supervisor.
    pub supervisor: Supervisor,
    /// Measures what runs will take.
    pub estimator: Estimator,
    /// Looks into networks.
    pub inside: Inside,
    /// Ends streams.
    pub shutdown: CancellationToken,
    /// When the server started.
    pub started: Instant,
}

/// Every route of the server.
pub fn router(app: App, guard: Guard) -> Router {
    // Quotes and line ends take two characters in JSON.
    let report_body = DefaultBodyLimit::max(reports::MOST_BYTES * 2 + FORM);
    let api = Router::new()
        .route("/runs", get(api::runs::list).post(api::runs::create))
        .route(
            "/runs/{id}",
            get(api::runs::show)
                .merge(patch(api::runs::label))
                .delete(api::runs::delete),
        )
        .route("/runs/{id}/stop", post(api::runs::stop))
        .route("/runs/{id}/resume", post(api::runs::resume))
        .route("/runs/{id}/restore", post(api::runs::restore))
        .route("/trash", get(api::runs::trash))
        .route("/trash/{id}", delete(api::runs::remove_for_good))
        .route("/runs/{id}/log", get(api::runs::log))
        .route("/runs/{id}/metrics", get(api::metrics::metrics))
        .route("/runs/{id}/tensorboard", get(api::boards::of_run))
        .route("/tensorboard", get(api::boards::of_runs))
        .route("/metrics", get(api::metrics::of_runs))
        .route("/statistics", get(api::metrics::statistics))
        .route("/runs/{id}/boundaries", get(api::points::boundaries))
        .route("/runs/{id}/points", get(api::points::points))
        .route("/runs/{id}/test", get(api::test::test))
        .merge(inside())
        .route("/specs/check", post(api::specs::check))
        .route("/specs/estimate", post(api::specs::estimate))
        .route("/sweeps", get(api::sweeps::list).post(api::sweeps::create))
        .route("/sweeps/check", post(api::sweeps::check))
        .route("/sweeps/estimate", post(api::sweeps::estimate))
        .route("/sweeps/{id}", get(api::sweeps::show))
        .route("/sweeps/{id}/stop", post(api::sweeps::stop))
        .route("/sweeps/{id}/trials", post(api::sweeps::grow))
        .route(
            "/reports",
            post(api::reports::create)
                .layer(report_body)
                .get(api::reports::list),
        )
        .route(
            "/reports/{id}",
            put(api::reports::save)
                .layer(report_body)
                .get(api::reports::show)
                .delete(api::reports::delete),
        )
        .route("/reports/{id}/restore", post(api::reports::restore))
        .route("/events", get(api::events::stream))
        .route("/networks", get(api::catalog::networks))
        .route("/datasets", get(api::datasets::list))
        .route("/datasets/{set}", delete(api::datasets::delete))
        .route("/datasets/{set}/gallery", get(api::datasets::gallery))
        .route(
            "/datasets/{set}/gallery.png",
            get(api::datasets::gallery_png),
        )
        .route(
            "/datasets/{set}/fetch",
            post(api::datasets::fetch).delete(api::datasets::stop_fetch),
        )
        .route(
            "/datasets/drafts/{id}",
            post(api::datasets::accept).delete(api::datasets::discard),
        )
        .route("/images", get(api::images::list))
        .route(
            "/images/{file}",
            get(api::images::show).delete(api::images::delete),
        )
        .route("/presets", get(api::catalog::presets))
        .route("/openapi.json", get(api::catalog::openapi));
    // An upload takes the time that it takes: it is watched piece by piece.
    let upload = Router::new()
        .route("/api/v1/datasets", post(api::datasets::upload))
        .route("/api/v1/boards", post(api::boards::upload))
        .layer(DefaultBodyLimit::max(app.upload_limit))
        .merge(
            Router::new()
                .route("/api/v1/images", post(api::images::create))
                .layer(DefaultBodyLimit::max(images::MOST_BYTES + FORM)),
        )
        .layer(middleware::from_fn(upload::hear_out))
        .with_state(app.clone());
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
        .nest("/api/v1", api)
        .with_state(app)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            ANSWER_WITHIN,
        ))
        .merge(upload)
        .fallback(problem::no_such_page)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::map_response(problem::dress))
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
        ))
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
        .route("/runs/{id}/pinned", put(film::pin))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
