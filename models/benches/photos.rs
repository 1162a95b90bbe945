//! How fast a run on photos is, and how much memory it takes: `cargo bench --bench photos -- DATASETS SET DOCUMENT
//! disk|memory`. `scripts/measure-photos` makes the set and compares the two.
//!
//! Prints one line of JSON: images a second, seconds of processor time for 1,000 images, and by how many MiB the
//! process's own memory (`RssAnon`, without the pages of files) grew.

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::error::Error;
use std::time::Instant;

use serde_json::{Value, json};
use vivarium_models::contract::Event;
use vivarium_models::data::Library;
use vivarium_models::form;
use vivarium_models::train::{Control, Observer, train};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [datasets, set, document, place] = &arguments[..] else {
        return Err("usage: photos DATASETS SET DOCUMENT disk|memory".into());
    };
    let most = if place == "memory" { u64::MAX } else { 0 };
    let library = Library::in_folder(datasets).with_photo_memory(most);
    let mut document: Value = serde_json::from_str(document)?;
    document["data"]["set"] = json!(set);
    let run = form::check(&document, &library).map_err(|errors| errors[0].to_string())?;
    let before = own_memory()?;
    let mut watch = Watch::default();
    let folder = std::env::temp_dir().join(format!("measure-photos-{}", std::process::id()));
    let result = train(&run, &library, folder.as_path(), &mut watch);
    std::fs::remove_dir_all(&folder)?;
    result?;
    let (from, at_first) = watch.from.ok_or("the run had no step")?;
    let images = (watch.samples - at_first) as f64;
    let seconds = (watch.until.ok_or("the run had no step")? - from).as_secs_f64();
    println!(
        "{}",
        json!({
            "place": place,
            "images_per_s": images / seconds,
            "cpu_seconds_per_1000": 1000.0 * (watch.cpu_until - watch.cpu_from) / images,
            "epoch_seconds": watch.epochs,
            "memory_growth_mib": watch.most.saturating_sub(before) >> 20,
            "prepare_seconds": watch.prepared,
        })
    );
    Ok(())
}

/// Memory of this process that is not of files, in bytes.
fn own_memory() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib: u64 = line
        .ok_or("no RssAnon")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib << 10)
}

/// Processor time of this process, in seconds.
fn processor_time() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

/// Watches the steps of a run; the first few warm up.
#[derive(Default)]
struct Watch {
    steps: u64,
    from: Option<(Instant, u64)>,
    until: Option<Instant>,
    cpu_from: f64,
    cpu_until: f64,
    samples: u64,
    most: u64,
    prepared: f64,
    began: Option<Instant>,
    epochs: Vec<f64>,
}

impl Observer for Watch {
    fn observe(&mut self, event: &Event) -> Outcome<Control> {
        self.most = self.most.max(own_memory()?);
        let began = *self.began.get_or_insert_with(Instant::now);
        match event {
            Event::Preparing { .. } => self.prepared = began.elapsed().as_secs_f64(),
            Event::Steps(steps) => {
                self.steps += 1;
                self.samples = steps.samples_seen;
                if self.steps == 20 {
                    self.from = Some((Instant::now(), self.samples));
                    self.cpu_from = processor_time()?;
                }
                self.until = Some(Instant::now());
                self.cpu_until = processor_time()?;
            }
            Event::Epoch(end) => self.epochs.push(end.seconds),
            _ => {}
        }
        Ok(Control::Continue)
    }

    fn sync(&mut self) -> Outcome<()> {
        Ok(())
    }
}
