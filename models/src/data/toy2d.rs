//! Generated two-dimensional data sets, linearly separable and not. The points depend only on the settings under
//! `data`. `frontend/playground/data.js` makes the same points from the same random numbers.

use std::f64::consts::{PI, TAU};

use serde::Deserialize;

use super::table::{DataSetRow, RawSamples, SampleValues, Source};
use super::versions::Corrections;
use crate::error::Result;
use crate::random::{Generator, Key};
use crate::spec::{DataSpec, Field, FieldKind};

/// The source of a data set whose points are generated one by one.
macro_rules! generated {
    ($place:expr) => {
        Source::BuiltIn {
            shape: |spec| Ok((vec![2], spec.options::<Options>()?.classes)),
            load: |spec| generate(spec, $place),
        }
    };
}

pub(super) const BLOBS: DataSetRow = DataSetRow {
    set: "blobs",
    title: "Blobs",
    summary: "A cloud of points for each class, apart from each other: straight lines divide them.",
    fields: &[SAMPLES, noise("0.5"), CLASSES],
    source: generated!(blob),
    ..TOY2D
};

pub(super) const MOONS: DataSetRow = DataSetRow {
    set: "moons",
    title: "Moons",
    summary: "Two half circles that reach into each other: no straight line divides them.",
    fields: &[SAMPLES, noise("0.15")],
    source: generated!(moon),
    ..TOY2D
};

pub(super) const CIRCLES: DataSetRow = DataSetRow {
    set: "circles",
    title: "Circles",
    summary: "A ring around a ring: no straight line divides them.",
    fields: &[SAMPLES, noise("0.08")],
    source: generated!(circle),
    ..TOY2D
};

pub(super) const SPIRAL: DataSetRow = DataSetRow {
    set: "spiral",
    title: "Spiral",
    summary: "Arms wound around each other, one for each class: the hardest of the plane.",
    fields: &[SAMPLES, noise("0.03"), CLASSES],
    source: generated!(spiral),
    ..TOY2D
};

pub(super) const XOR: DataSetRow = DataSetRow {
    set: "xor",
    title: "Exclusive or",
    summary: "Four squares, the opposite ones of one class: the problem that no single perceptron solves.",
    fields: &[SAMPLES, noise("0.05")],
    source: generated!(exclusive_or),
    ..TOY2D
};

/// The common part of the rows.
const TOY2D: DataSetRow = DataSetRow {
    set: "",
    title: "",
    summary: "",
    licence: "Generated",
    dimensions: 2,
    classes: 2,
    fields: &[],
    defaults: &[],
    source: generated!(blob),
};

const SAMPLES: Field = Field::new(
    "data.samples",
    "Samples",
    FieldKind::Integer {
        min: 40,
        max: 100_000,
        step: 1,
    },
    "400",
    "How many points are generated; a fifth of them is for the test.",
);

const CLASSES: Field = Field::new(
    "data.classes",
    "Classes",
    FieldKind::Integer {
        min: 2,
        max: 8,
        step: 1,
    },
    "2",
    "How many classes.",
);

const fn noise(default: &'static str) -> Field {
    Field::new(
        "data.noise",
        "Noise",
        FieldKind::Number {
            min: 0.0,
            max: 2.0,
            min_open: false,
        },
        default,
        "The standard deviation of the points around their shape.",
    )
}

#[derive(Deserialize)]
struct Options {
    samples: usize,
    noise: f64,
    #[serde(default = "two")]
    classes: usize,
}

fn two() -> usize {
    2
}

/// Generates a point of a class before noise is added, from a random generator and the number of classes.
type PointFn = fn(&mut Generator, usize, usize) -> (f64, f64);

fn generate(spec: &DataSpec, place: PointFn) -> Result<RawSamples> {
    let Options {
        samples,
        noise,
        classes,
    } = spec.options()?;
    let mut generator = Key::new(0, &format!("points {}", spec.set)).generator();
    let mut values = Vec::with_capacity(2 * samples);
    let mut labels = Vec::with_capacity(samples);
    for i in 0..samples {
        let class = i % classes;
        let (x, y) = place(&mut generator, class, classes);
        values.push((x + noise * generator.normal()) as f32);
        values.push((y + noise * generator.normal()) as f32);
        labels.push(class as u32);
    }
    Ok(RawSamples {
        classes: (0..classes)
            .map(|class| format!("class {}", class + 1))
            .collect(),
        values: SampleValues::Points(values),
        labels,
        corrections: Corrections::new(),
        train: None,
    })
}

/// Centres on a circle, 4 from each neighbour, which is 8 deviations at the default noise. Rotated, so that the
/// boundary of two classes is not parallel to an axis.
fn blob(_: &mut Generator, class: usize, classes: usize) -> (f64, f64) {
    let radius = 2.0 / (PI / classes as f64).sin();
    let angle = PI / 6.0 + TAU * class as f64 / classes as f64;
    (radius * angle.cos(), radius * angle.sin())
}

fn moon(generator: &mut Generator, class: usize, _: usize) -> (f64, f64) {
    let angle = generator.uniform(0.0, PI);
    match class {
        0 => (angle.cos(), angle.sin()),
        _ => (1.0 - angle.cos(), 0.5 - angle.sin()),
    }
}

fn circle(generator: &mut Generator, class: usize, _: usize) -> (f64, f64) {
    let angle = generator.uniform(0.0, TAU);
    let radius = if class == 0 { 1.0 } else { 0.5 };
    (radius * angle.cos(), radius * angle.sin())
}

/// A spiral arm of one and a quarter turns, from near the centre to radius 1.
fn spiral(generator: &mut Generator, class: usize, classes: usize) -> (f64, f64) {
    let radius = generator.uniform(0.08, 1.0);
    let angle = TAU * (1.25 * radius + class as f64 / classes as f64);
    (radius * angle.cos(), radius * angle.sin())
}

/// Class 0 where both coordinates have the same sign. A margin along the axes is empty.
fn exclusive_or(generator: &mut Generator, class: usize, _: usize) -> (f64, f64) {
    let x = generator.uniform(0.1, 1.0);
    let y = generator.uniform(0.1, 1.0);
    let side = if generator.below(2) == 0 { 1.0 } else { -1.0 };
    if class == 0 {
        (side * x, side * y)
    } else {
        (side * x, -side * y)
    }
}
