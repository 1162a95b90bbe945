//! Measures a training step: `cargo run --release -p vivarium-models --example bench -- '{"kind":"mlp"}' 64 8 1 sgd 200 2`

use vivarium_models::bench::{BenchOptimizer, BenchOptions, bench, network};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [json, batch, size, channels, optimizer, steps, threads] = &args[..] else {
        return Err(
            "give: network as JSON, batch, size, channels, sgd or adamw, steps, threads".into(),
        );
    };
    let network = network(&serde_json::from_str(json)?).map_err(|errors| format!("{errors:?}"))?;
    let result = bench(&BenchOptions {
        network,
        batch: batch.parse()?,
        size: size.parse()?,
        channels: channels.parse()?,
        optimizer: if optimizer == "adamw" {
            BenchOptimizer::AdamW
        } else {
            BenchOptimizer::Sgd
        },
        steps: steps.parse()?,
        threads: threads.parse()?,
    })?;
    std::io::Write::write_all(
        &mut std::io::stdout(),
        format!("{}\n", serde_json::to_string(&result)?).as_bytes(),
    )?;
    Ok(())
}
