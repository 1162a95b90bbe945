//! Prints the indices of samples, those with the most suspicious label first: `suspects PROBABILITIES LABELS CLASSES
//! QUALITY`. The files hold little-endian f32 and u32; QUALITY is `self_confidence` or `normalized_margin`.
//! `scripts/measure-label-errors` compares them with cleanlab's.
#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::error::Error;
use std::fs;

use vivarium_models::evaluate::{LabelQuality, Matrix, ScoreKind, suspects};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [probabilities, labels, classes, quality] = &arguments[..] else {
        return Err("usage: suspects PROBABILITIES LABELS CLASSES QUALITY".into());
    };
    let (probabilities, labels) = (fs::read(probabilities)?, fs::read(labels)?);
    let values: Vec<f32> = probabilities
        .as_chunks()
        .0
        .iter()
        .map(|of| f32::from_le_bytes(*of))
        .collect();
    let labels: Vec<u32> = labels
        .as_chunks()
        .0
        .iter()
        .map(|of| u32::from_le_bytes(*of))
        .collect();
    let scores = Matrix {
        values: &values,
        classes: classes.parse()?,
        kind: ScoreKind::Probabilities,
    };
    let quality: LabelQuality = serde_json::from_value(quality.as_str().into())?;
    for suspect in suspects(&scores, &labels, quality)? {
        println!("{}", suspect.index);
    }
    Ok(())
}
