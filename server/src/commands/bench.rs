//! `bench`: measures training steps.

use serde_json::json;
use vivarium_models::bench::{self, BenchOptimizer, BenchOptions};

use super::print;
use crate::cli::{Bench, Optimizer};
use crate::error::{Error, Result};
use crate::networks;
use crate::settings;

pub(super) fn bench(args: &Bench) -> Result<()> {
    let mut spec = json!({"network": networks::of_argument(&args.network)?});
    settings::apply(&mut spec, &args.set)?;
    let result = bench::bench(&BenchOptions {
        network: bench::network(&spec["network"])
            .map_err(|errors| networks::with_file(Some(&args.network), Error::Spec(errors)))?,
        batch: args.batch,
        size: args.size,
        channels: args.channels,
        optimizer: match args.opt {
            Optimizer::Sgd => BenchOptimizer::Sgd,
            Optimizer::Adamw => BenchOptimizer::AdamW,
        },
        steps: args.steps,
        threads: args.threads,
    })?;
    if args.json {
        return print(&json!(result).to_string());
    }
    print(&format!(
        "{}: {:.3} ms a step of {}, {:.0} images/s, peak memory {} MiB, on {} threads",
        result.net,
        result.step_ms,
        result.batch,
        result.images_per_s,
        result
            .peak_rss_mib
            .map_or("?".to_owned(), |mib| mib.to_string()),
        result.threads
    ))
}
