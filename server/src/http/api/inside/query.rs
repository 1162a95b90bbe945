//! The parameters of requests, as the API's description has them. [`Params`](super::params::Params) reads them.
#![expect(dead_code, reason = "describes what `Params` reads")]

use utoipa::{IntoParams, ToSchema};
use vivarium_models::inspect::{Direction, SaliencyMethod, Scale, Sort, ValueSource};

use crate::run_dir::RunId;

/// A layer of a run's network.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LayerPath {
    /// The run.
    id: RunId,
    /// The layer's name, such as `features.0`.
    layer: String,
}

/// The network that is looked into.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CheckpointParams {
    /// `best`, `last` or a frame of the film: an epoch, or within the first a step such as `step-8`. By default the best,
    /// or the last where there is no best.
    checkpoint: Option<String>,
}

/// The image that is looked at.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ImageParams {
    /// `pinned` (the default), the id of an upload, or a sample such as `test:17`.
    image: Option<String>,
}

/// Which page of a picture, and how it is drawn.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SheetParams {
    /// What the colours are scaled by.
    #[param(inline)]
    scale: Option<Scale>,
    /// The order of tiles: by default `norm` for filters and `mean` for maps.
    #[param(inline)]
    sort: Option<Sort>,
    /// The page, from 0.
    page: Option<usize>,
    /// What the colours reach from and to, as two numbers with a comma between; goes over `scale`.
    range: Option<String>,
    /// The version of the frame, as the film tells it: then the answer may be cached for ever.
    v: Option<String>,
}

/// What a picture is compared with.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MinusParams {
    /// A checkpoint or a frame whose values are subtracted: the picture then shows what changed.
    minus: Option<String>,
}

/// Which filter of a layer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FilterParams {
    /// The filter whose kernels are shown, instead of all filters.
    filter: Option<usize>,
}

/// Which tile of a layer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TileParams {
    /// What the tile is of.
    #[param(inline)]
    of: ValueSource,
    /// The filter or map.
    index: usize,
    /// The kernel of the filter.
    input: Option<usize>,
}

/// Which value of a layer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PixelParams {
    /// The map.
    map: usize,
    /// The row.
    y: usize,
    /// The column.
    x: usize,
}

/// Which numbers of a layer's window.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WindowParams {
    /// The direction; by default `forward`.
    #[param(inline)]
    direction: Option<Direction>,
    /// The output map, or the output value of a fully connected layer; by default 0. Backward, a map whose gradient is
    /// among those that are told.
    map: Option<usize>,
    /// The input channel, or the input value of a fully connected layer, by default the first that the map reads.
    /// Backward, the one whose gradient is told.
    input: Option<usize>,
}

/// Which class.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ClassParams {
    /// A class by its number; by default the predicted one.
    class: Option<usize>,
}

/// Which channel of a convolution's input.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct InputParams {
    /// The channel whose gradient is taken apart; by default the one that gets most.
    input: Option<usize>,
}

/// How a saliency map is computed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AttentionParams {
    /// The method.
    #[param(inline)]
    method: Option<SaliencyMethod>,
    /// The layer of Grad-CAM; by default the last that has more than one pixel.
    layer: Option<String>,
}

/// Which samples.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SamplesParams {
    /// The page, from 0.
    page: Option<usize>,
    /// The split; by default `test`.
    #[param(inline)]
    split: Option<SampleSplit>,
    /// Samples of this class.
    truth: Option<usize>,
    /// Samples that are predicted as this class.
    predicted: Option<usize>,
}

/// The splits whose samples are shown.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum SampleSplit {
    Test,
    Validation,
}

/// Which version of a frame.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VersionParams {
    /// The version of the frame, as the film tells it: then the answer may be cached for ever.
    v: Option<String>,
}

/// How large an image is shown.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SizeParams {
    /// About so many pixels along a side.
    #[param(minimum = 1, maximum = 1024)]
    size: Option<usize>,
}
