//! What the server says over HTTP: every route is in [`router`].
//!
//! * [`guard`]: the outermost layer; who may ask at all. [`hosts`]: names and ports. `forwarded`: what a proxy says.
//! * [`change`]: what changes something is carried through, whatever its client does.
//! * [`listen`]: accepts connections, bounded in number and in time; `long_head`: what is told where a
//!   request's head is longer than that. `slow_body`: the least rate of bodies.
//! * [`problem`]: every error becomes a status, and a page or a problem document.
//! * [`mod@pages`], [`assets`], [`modules`]: what people see. [`mod@api`]: what programs ask.

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
mod streamed;
mod upload;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vivarium_models::networks::text::MAX_SOURCE;

use crate::base_path;
use crate::datasets::DataSets;
use crate::estimate::Estimator;
use crate::evaluations::Evaluations;
use crate::images::{self, Images};
use crate::index::Index;
use crate::inspect::InspectThread;
use crate::lr_finder::LrFinder;
use crate::networks::OwnNetworks;
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
    /// Networks that users wrote.
    pub networks: Arc<OwnNetworks>,
    /// What people write.
    pub reports: Arc<Reports>,
    /// Runs under short names.
    pub selections: Arc<Selections>,
    /// The supervisor.
    pub supervisor: Supervisor,
    /// Measures what runs will take.
    pub estimator: Estimator,
    /// Looks for learning rates.
    pub lr_finder: LrFinder,
    /// Evaluates runs.
    pub evaluations: Evaluations,
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
    let pages = abandonable(pages().route_layer(middleware::from_fn(change::refuse_writes)));
    let api = api(&app.changes, app.upload_limit);
    let site = Router::from(pages)
        .nest("/api/v1", api.into())
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

/// Layers of routes that change nothing: whoever leaves ends what nobody else waits for.
fn abandonable(routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            ANSWER_WITHIN,
        ))
}

/// The routes under `/api/v1`, and what they say of themselves.
fn api(changes: &Changes, upload_limit: usize) -> OpenApiRouter<App> {
    let reading = reading().route_layer(middleware::from_fn(change::refuse_writes));
    // What changes something takes the time that it takes; an upload is watched piece by piece.
    abandonable(reading.merge(computing()))
        .merge(changing(changes.clone()))
        .merge(uploading(changes.clone(), upload_limit))
        .merge(predicting())
}

/// The description of the routes under `/api/v1`.
fn description() -> OpenApi {
    api(&Changes::default(), 0).into_openapi()
}

/// What people see, and what watches over the server.
fn pages() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .route("/", get(pages::runs))
        .route("/new", get(pages::new))
        .route("/networks", get(pages::networks))
        .route("/networks/{name}", get(pages::network))
        .route("/playground", get(pages::playground))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/inside", get(pages::inside))
        .route("/runs/{id}/evaluation", get(pages::evaluation))
        .route("/runs/{id}/predict", get(pages::predict))
        .route("/compare", get(pages::compare))
        .route("/sweeps/{id}", get(pages::sweep))
        .route("/reports", get(pages::reports))
        .route("/reports/{id}", get(pages::report))
        .route("/data", get(pages::data))
        .route("/data/{set}", get(pages::data_set))
        .route("/data/{set}/labels", get(pages::labels))
        .route("/static/{*path}", get(assets::static_file))
        .route("/frontend/{*path}", get(assets::frontend_file))
        .route("/favicon.ico", get(assets::favicon))
        .route("/healthz", get(api::health::healthz))
        .route("/metrics", get(api::health::metrics))
}

/// What programs ask for. Nothing here changes anything.
fn reading() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(api::runs::list))
        .routes(routes!(api::runs::ids))
        .routes(routes!(api::runs::facets))
        .routes(routes!(api::runs::show))
        .routes(routes!(api::runs::log))
        .routes(routes!(api::metrics::metrics))
        .routes(routes!(api::tensorboard::of_run))
        .routes(routes!(api::tensorboard::tags))
        .routes(routes!(api::points::boundaries))
        .routes(routes!(api::points::points))
        .routes(routes!(api::updates::updates))
        .routes(routes!(api::test::test))
        .routes(routes!(api::evaluation::evaluation))
        .routes(routes!(api::evaluation::class_curves))
        .routes(routes!(api::evaluation::comparison))
        .merge(inside())
        .routes(routes!(api::runs::trash))
        .routes(routes!(api::tensorboard::of_runs))
        .routes(routes!(api::metrics::of_runs))
        .routes(routes!(api::metrics::statistics))
        .routes(routes!(api::sweeps::list))
        .routes(routes!(api::sweeps::show))
        .routes(routes!(api::reports::list))
        .routes(routes!(api::reports::show))
        .routes(routes!(api::selections::show))
        .routes(routes!(api::events::stream))
        .routes(routes!(api::networks::list))
        .routes(routes!(api::networks::show))
        .routes(routes!(api::networks::of_run))
        .routes(routes!(api::export::export))
        .routes(routes!(api::datasets::list))
        .routes(routes!(api::datasets::gallery))
        .routes(routes!(api::datasets::gallery_png))
        .routes(routes!(api::datasets::fits))
        .routes(routes!(api::datasets::fits_png))
        .routes(routes!(api::labels::show))
        .routes(routes!(api::labels::picture))
        .routes(routes!(api::label_issues::issues))
        .routes(routes!(api::images::list))
        .routes(routes!(api::images::show))
        .routes(routes!(api::catalog::form))
        .routes(routes!(api::catalog::presets))
        .routes(routes!(api::catalog::openapi))
}

/// What takes a body and computes, and changes nothing.
fn computing() -> OpenApiRouter<App> {
    let network = OpenApiRouter::default()
        .routes(routes!(api::networks::check::check))
        .layer(network_body());
    OpenApiRouter::default()
        .merge(network)
        .routes(routes!(api::specs::check))
        .routes(routes!(api::specs::estimate))
        .routes(routes!(api::specs::find_lr))
        .routes(routes!(api::sweeps::check))
        .routes(routes!(api::sweeps::estimate))
}

/// The largest body with a network's text: quotes and line ends take two characters in JSON.
fn network_body() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_SOURCE * 2 + FORM)
}

/// What changes something, from a small body or none.
fn changing(changes: Changes) -> OpenApiRouter<App> {
    // Quotes and line ends take two characters in JSON.
    let report_body = DefaultBodyLimit::max(reports::MOST_BYTES * 2 + FORM);
    let run_to_completion = middleware::from_fn_with_state(changes, change::run_to_completion);
    let reports = OpenApiRouter::default()
        .routes(routes!(api::reports::create))
        .routes(routes!(api::reports::save))
        .route_layer(run_to_completion.clone())
        .layer(report_body);
    let selections = OpenApiRouter::default()
        .routes(routes!(api::selections::create))
        .route_layer(run_to_completion.clone())
        .layer(DefaultBodyLimit::max(
            selections::MOST_RUNS * RUN_IN_JSON + FORM,
        ));
    let networks = OpenApiRouter::default()
        .routes(routes!(api::networks::save, api::networks::remove))
        .route_layer(run_to_completion.clone())
        .layer(network_body());
    OpenApiRouter::default()
        .routes(routes!(api::runs::create))
        .routes(routes!(api::runs::label, api::runs::delete))
        .routes(routes!(api::runs::stop))
        .routes(routes!(api::runs::resume))
        .routes(routes!(api::runs::restore))
        .routes(routes!(api::inside::film::pin))
        .routes(routes!(api::tensorboard::assign))
        .routes(routes!(api::runs::remove_for_good))
        .routes(routes!(api::sweeps::create))
        .routes(routes!(api::sweeps::stop))
        .routes(routes!(api::sweeps::grow))
        .routes(routes!(api::reports::delete))
        .routes(routes!(api::reports::restore))
        .routes(routes!(api::datasets::delete))
        .routes(routes!(api::datasets::fetch, api::datasets::stop_fetch))
        .routes(routes!(api::datasets::accept, api::datasets::discard))
        .routes(routes!(api::labels::change))
        .routes(routes!(api::images::delete))
        .route_layer(run_to_completion)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .merge(reports)
        .merge(selections)
        .merge(networks)
}

/// What takes files, computes for longer than other requests may take, and changes nothing: whoever leaves ends it.
fn predicting() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(api::predict::predict))
        .layer(DefaultBodyLimit::max(api::predict::MOST_BYTES))
        .layer(middleware::from_fn(upload::drain_refused))
}

/// What takes files.
fn uploading(changes: Changes, limit: usize) -> OpenApiRouter<App> {
    let files = OpenApiRouter::default()
        .routes(routes!(api::datasets::upload))
        .routes(routes!(api::tensorboard::upload))
        .routes(routes!(api::networks::import::import))
        // The earlier name, which the document does not have.
        .route("/boards", post(api::tensorboard::upload))
        .layer(DefaultBodyLimit::max(limit));
    let images = OpenApiRouter::default()
        .routes(routes!(api::images::create))
        .layer(DefaultBodyLimit::max(images::MOST_BYTES + FORM));
    files
        .merge(images)
        .route_layer(middleware::from_fn_with_state(changes, change::run_upload))
        .layer(middleware::from_fn(upload::drain_refused))
}

/// Routes that look inside a run's network.
fn inside() -> OpenApiRouter<App> {
    use api::inside::{film, layers, pixel, predictions, samples, sheets, window};
    OpenApiRouter::default()
        .routes(routes!(layers::layers))
        .routes(routes!(layers::progress))
        .routes(routes!(sheets::filters))
        .routes(routes!(sheets::filters_png))
        .routes(routes!(sheets::features))
        .routes(routes!(sheets::features_png))
        .routes(routes!(sheets::values))
        .routes(routes!(pixel::arithmetic))
        .routes(routes!(pixel::gradient))
        .routes(routes!(window::window))
        .routes(routes!(predictions::predict))
        .routes(routes!(predictions::attention))
        .routes(routes!(predictions::image))
        .routes(routes!(samples::samples))
        .routes(routes!(film::film))
        .routes(routes!(film::frame))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Methods and paths as axum's own listing of a router has them.
    fn routed(router: &Router<App>) -> BTreeSet<String> {
        let listing = format!("{router:?}");
        let (routes, paths) = listing.split_once("node: Node { paths:").unwrap();
        let path_of = |id: &str| {
            let (_, path) = paths.split_once(&format!("{id}: \"")).unwrap();
            path.split('"').next().unwrap().to_owned()
        };
        let mut found = BTreeSet::new();
        for route in routes.split("RouteId(").skip(1) {
            let (id, of) = route.split_once(')').unwrap();
            let path = path_of(&format!("RouteId({id})"));
            let (_, methods) = of.split_once("allow_header: Bytes(b\"").unwrap();
            let methods = methods.split('"').next().unwrap();
            // A route that answers GET answers HEAD.
            for method in methods.split(',').filter(|method| *method != "HEAD") {
                found.insert(format!("{method} {path}"));
            }
        }
        found
    }

    #[test]
    fn every_route_is_in_the_document_and_the_other_way_round() {
        let (router, description) = api(&Changes::default(), 0).split_for_parts();
        let document = api::openapi::document(&description, "");
        let mut documented = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                documented.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        assert!(documented.len() > 60, "{documented:?}");
        // The earlier name of `POST /tensorboard`.
        documented.insert("POST /boards".to_owned());
        assert_eq!(routed(&router), documented);
    }

    #[test]
    fn a_route_without_a_description_is_seen() {
        let routes = reading().route("/secret", get(api::runs::trash));
        let router = Router::from(routes);
        assert!(routed(&router).contains("GET /secret"));
    }
}
