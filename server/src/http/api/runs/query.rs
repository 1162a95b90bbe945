//! The parameters of a list of runs: which runs, in what order, which page.

use utoipa::IntoParams;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::App;
use crate::http::api::selections::of_selection;
use crate::http::query;
use crate::index::listing::{Filter, Grouping, Order};
use crate::index::runs::Status;

/// The runs of a page, unless the request says.
const PAGE: usize = 100;

/// The most runs of a page.
const LARGEST_PAGE: usize = 1000;

/// Which runs are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the words are read one by one: some may be there several times"
)]
pub(super) struct FilterParams {
    /// Words, which must all be in the name, the tags, the notes, the id, the network, the data set or the state of a run,
    /// and terms such as `network:vgg16`, `accuracy>0.9`, `loss<0.1`, `lr<=0.01`, `tag:final` and `-status:failed`.
    #[param(nullable = false, max_length = 1000)]
    search: Option<String>,
    /// A status; with several, runs of any of them.
    #[param(required = false)]
    status: Vec<Status>,
    /// The runs of a sweep.
    #[param(nullable = false)]
    sweep: Option<Uuid>,
    /// A tag; with several, runs with any of them.
    #[param(required = false)]
    tag: Vec<String>,
    /// A selection, for its runs.
    #[param(nullable = false, pattern = "^[0-9a-f]{32}$")]
    selection: Option<String>,
}

/// In what order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the words are read one by one")]
pub(super) struct SortParams {
    /// `created`, `status`, `name`, `network`, `data`, `progress`, `train_loss`, `loss` (validation), `last` (validation
    /// accuracy), `validation` (the best accuracy), `test`, `parameters`, `memory`, `speed`, `seconds`, or the path of a
    /// setting such as `training.optimizer.lr`. A minus before it sorts in descending order. Runs without the value come
    /// last, and newer runs first among equals.
    #[param(nullable = false, default = "-created")]
    sort: Option<String>,
}

/// Which page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the words are read one by one")]
pub(super) struct PageParams {
    /// `sweep`, `tag`, `status`, or the path of a setting: the runs are listed group by group, in the order of the first run
    /// of each.
    #[param(nullable = false)]
    group: Option<String>,
    /// The maximum number of runs.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `next` of the page before. The other parameters must be the same.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Of which group.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the words are read one by one")]
pub(super) struct GroupParams {
    /// `sweep`, `tag`, `status`, or the path of a setting: only the runs of one group, with `value`.
    #[param(nullable = false)]
    group: Option<String>,
    /// The value of the group, as JSON.
    #[param(nullable = false)]
    value: Option<String>,
}

/// Of which sweep.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the word is read by its name")]
pub(super) struct SweepParams {
    /// The runs of a sweep.
    #[param(nullable = false)]
    sweep: Option<Uuid>,
}

/// The names of parameters.
pub(super) fn names<P: IntoParams>() -> Vec<String> {
    let parameters = P::into_params(|| None).into_iter();
    parameters.map(|parameter| parameter.name).collect()
}

/// The words that a list of runs is asked for with.
pub(super) struct Asked<'a> {
    pairs: &'a [(String, String)],
}

impl<'a> Asked<'a> {
    /// Refuses a word that is not among `known`: with a misspelt one, too many runs would be found.
    pub(super) fn read(pairs: &'a [(String, String)], known: &[String]) -> Result<Self> {
        match pairs.iter().find(|(name, _)| !known.contains(name)) {
            Some((name, value)) => {
                let message = format!("is not known here; there are {}", known.join(", "));
                Err(Error::field(name, value.as_str(), message))
            }
            None => Ok(Self { pairs }),
        }
    }

    pub(super) fn last(&self, name: &'a str) -> Option<&'a str> {
        query::values(self.pairs, name).last()
    }

    pub(super) async fn filter(&self, app: &App) -> Result<Filter> {
        let ids = match self.last("selection") {
            Some(name) => Some(of_selection(app, name.to_owned()).await?),
            None => None,
        };
        let statuses = query::values(self.pairs, "status").map(|name| {
            Status::named(name).ok_or_else(|| {
                let names = Status::ALL.map(Status::name).join(", ");
                Error::field("status", name, format!("must be one of {names}"))
            })
        });
        Ok(Filter {
            search: self.last("search").unwrap_or_default().to_owned(),
            statuses: statuses.collect::<Result<_>>()?,
            sweep: self.last("sweep").map(str::to_owned),
            tags: query::values(self.pairs, "tag")
                .map(str::to_owned)
                .collect(),
            ids: ids.map(|ids| ids.into_iter().collect()),
            group: None,
        })
    }

    pub(super) fn order(&self) -> Result<Order> {
        self.last("sort").map_or(Ok(Order::default()), Order::read)
    }

    pub(super) fn grouping(&self) -> Result<Option<Grouping>> {
        self.last("group").map(Grouping::read).transpose()
    }

    pub(super) fn limit(&self) -> Result<usize> {
        let Some(text) = self.last("limit") else {
            return Ok(PAGE);
        };
        let limit = text.parse().ok();
        limit
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .ok_or_else(|| {
                let message = format!("must be a number from 1 to {LARGEST_PAGE}");
                Error::field("limit", text, message)
            })
    }
}
