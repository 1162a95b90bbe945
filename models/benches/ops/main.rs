//! The time of single operations, and the share of the machine's ceiling that they reach.
//!
//!     cargo bench -p vivarium-models --bench ops -- [--threads N] [--seconds S] [WORD…]
//!
//! With words, only rows that contain all of them are measured: `conv 3x3 64@32`.

#![allow(clippy::print_stdout, reason = "the table is what this is for")]

mod cases;
mod ceiling;
mod round;

use std::error::Error;
use std::time::Duration;

use vivarium_models::ops::{instructions, set_threads, threads};

use self::ceiling::Ceilings;
use self::round::median_of;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str =
    "Options: --threads N (all), --seconds S a row (0.4), words that a row must contain";

struct Options {
    threads: usize,
    each: Duration,
    words: Vec<String>,
}

fn options() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        threads: threads::available(),
        each: Duration::from_millis(400),
        words: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} takes a number"));
        match argument.as_str() {
            // Passed by Cargo.
            "--bench" => {}
            "--help" | "-h" => return Ok(None),
            "--threads" => options.threads = value()?.parse()?,
            "--seconds" => options.each = Duration::try_from_secs_f64(value()?.parse()?)?,
            option if option.starts_with('-') => return Err(format!("{option}? {USAGE}").into()),
            word => options.words.push(word.to_owned()),
        }
    }
    Ok(Some(options))
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(options) = options()? else {
        println!("{USAGE}");
        return Ok(());
    };
    set_threads(options.threads)?;
    println!(
        "{} threads, {}, f32, batches of {}",
        threads::threads(),
        instructions()?,
        cases::BATCH
    );
    let mut ceilings = Ceilings::new()?;
    println!("{}\n", ceilings.describe()?);
    println!("| operation | shape | what | ms | rate | ceiling | part of it |");
    println!("|---|---|---|--:|--:|--:|--:|");
    for case in cases::all() {
        let (operation, shape, what) = &case.name;
        let name = format!("{operation} {shape} {what}");
        if !options
            .words
            .iter()
            .all(|word| name.contains(word.as_str()))
        {
            continue;
        }
        // Before and after, because the machine's speed may have changed.
        let before = ceilings.of(case.work)?;
        let time = median_of((case.build)()?, options.each)?;
        let ceiling = ceilings.of(case.work)?.max(before);
        let rate = case.work.amount() / time;
        println!(
            "| {operation} | {shape} | {what} | {} | {} | {} | {:.0} % |",
            in_ms(time),
            case.work.rate(rate),
            case.work.rate(ceiling),
            rate / ceiling * 100.0
        );
    }
    Ok(())
}

/// Three significant digits.
fn in_ms(seconds: f64) -> String {
    let ms = seconds * 1e3;
    match ms {
        ms if ms >= 100.0 => format!("{ms:.0}"),
        ms if ms >= 10.0 => format!("{ms:.1}"),
        ms if ms >= 1.0 => format!("{ms:.2}"),
        ms => format!("{ms:.3}"),
    }
}
