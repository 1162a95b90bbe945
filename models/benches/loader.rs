//! Images a second of the data loader, without augmentation and with each, on one thread as in training.
//!
//!     cargo bench -p vivarium-models --bench loader
//!
//! The images are photos' size at 224 pixels and small ones at 32, in colour, as bytes in memory.

#![allow(clippy::print_stdout, reason = "the table is what this is for")]

use std::error::Error;
use std::time::Instant;

use image::RgbImage;
use serde_json::{Value, json};
use vivarium_models::data::{self, ImportLimits, Library, Mixing};
use vivarium_models::form;
use vivarium_models::random::Key;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Images of a batch.
const BATCH: usize = 32;

/// Seconds that each case is measured.
const SECONDS: f64 = 1.5;

fn cases() -> [(&'static str, Value); 8] {
    let crop = json!({"random_resized_crop": {}});
    let jitter = json!({"color_jitter": {}});
    let operations = json!({"randaugment": {}});
    [
        ("none", json!({})),
        ("mirror and shift", json!({"augment": "flip-crop"})),
        ("random resized crop", crop),
        ("colour jitter", jitter),
        ("RandAugment", operations),
        ("mixup", json!({"mixup": 0.2})),
        ("CutMix", json!({"cutmix": 1.0})),
        (
            "all of them",
            json!({"augment": "flip-crop", "random_resized_crop": {}, "color_jitter": {}, "randaugment": {},
                "mixup": 0.2, "cutmix": 1.0}),
        ),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:24}{:>12}{:>12}", "images a second", "224", "32");
    let folder = tempfile::tempdir()?;
    let libraries = [224, 32].map(|size| (size, folder.path().join(size.to_string())));
    for (size, path) in &libraries {
        make(*size, path)?;
    }
    for (name, case) in cases() {
        let mut line = format!("{name:24}");
        for (size, path) in &libraries {
            line += &format!("{:12.0}", measure(&Library::in_folder(path), *size, &case)?);
        }
        println!("{line}");
    }
    Ok(())
}

/// A data set of 256 images with waves of random colours.
fn make(size: u32, path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let photos = path.join("photos");
    for i in 0..256 {
        let mut generator = Key::new(i, "photo").generator();
        let waves = [(); 6].map(|()| generator.uniform(0.02, 0.3));
        let image = RgbImage::from_fn(size, size, |x, y| {
            let wave = |c: usize| {
                let (x, y) = (f64::from(x), f64::from(y));
                (128.0 + 127.0 * (x * waves[c]).sin() * (y * waves[c + 3]).cos()) as u8
            };
            image::Rgb([wave(0), wave(1), wave(2)])
        });
        let class = photos.join(["a", "b"][i as usize % 2]);
        std::fs::create_dir_all(&class)?;
        image.save(class.join(format!("{i}.png")))?;
    }
    let library = Library::in_folder(path);
    let limits = ImportLimits::default();
    let import = data::import(&library, "photos", "Photos", &photos, &limits, &|_, _| true)?;
    library.publish(import.ready, "photos", false)?;
    Ok(())
}

/// Images a second of one thread.
fn measure(library: &Library, size: u32, case: &Value) -> Result<f64, Box<dyn Error>> {
    let mut document = json!({"data": {"set": "photos", "size": size}, "network": {"kind": "mlp"}});
    for (name, value) in case.as_object().into_iter().flatten() {
        if !["mixup", "cutmix"].contains(&&**name) {
            document["data"][name] = value.clone();
        }
    }
    let spec = form::check(&document, library).map_err(|mut errors| errors.remove(0))?;
    let splits = data::load(&spec.data, library)?;
    let mixing = Mixing {
        mixup: case["mixup"].as_f64(),
        cutmix: case["cutmix"].as_f64(),
    };
    let augment = (!splits.augmentation.is_none()).then(|| splits.augmentation.in_epoch(0, 1));
    let samples = &splits.train;
    let (began, mut images, mut batch) = (Instant::now(), 0, 0);
    while began.elapsed().as_secs_f64() < SECONDS {
        let first = batch * BATCH;
        let indices: Vec<u32> = (first..first + BATCH)
            .map(|i| (i % samples.len()) as u32)
            .collect();
        let (mut values, targets) = samples.gather(&indices, augment.as_ref())?;
        mixing.apply((0, 1, batch as u64), &mut values, &targets, samples.side());
        images += BATCH;
        batch += 1;
    }
    Ok(images as f64 / began.elapsed().as_secs_f64())
}
