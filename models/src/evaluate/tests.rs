//! The figures among themselves: resamples, refusals, thresholds, and rows that are read piece by piece.

use std::ops::Range;

use super::figure::{LANES, Resamples};
use super::ranking::AllAreas;
use super::*;
use crate::random::Key;

/// Random logits [n, classes] that know their targets a little; a third of them are equal to others.
fn draw(n: usize, classes: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let mut generator = Key::new(seed, "evaluation").generator();
    let mut values = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..n {
        let target = generator.below(classes as u64) as u32;
        for class in 0..classes as u32 {
            let value = generator.normal() + if class == target { 1.0 } else { 0.0 };
            values.push(((value * 4.0).round() / 4.0) as f32);
        }
        targets.push(target);
    }
    (values, targets)
}

fn logits(values: &[f32], classes: usize) -> Matrix<'_> {
    Matrix {
        values,
        classes,
        kind: ScoreKind::Logits,
    }
}

fn figures(values: &[f32], classes: usize, targets: &[u32]) -> Evaluation {
    let scores = logits(values, classes);
    let split = SplitScores {
        scores: &scores,
        targets,
    };
    evaluate(split, None, 0, &mut |_| Ok(())).unwrap()
}

#[test]
fn a_resample_has_the_figures_of_its_samples_written_out() {
    let (n, classes) = (60, 4);
    let (values, targets) = draw(n, classes, 1);
    let scores = logits(&values, classes);
    let rows = Rows::of(&scores, &targets).unwrap();
    let resamples = Resamples::new(n, LANES, 5);
    let counted = Resampled::of(&resamples, &targets, &rows.predicted, classes);
    let blocks: Vec<_> = resamples.blocks().collect();
    for lane in [0, 17, LANES - 1] {
        // Each sample as often as it was drawn.
        let drawn = (0..n).flat_map(|i| vec![i; blocks[0][i].0[lane].into()]);
        let drawn: Vec<usize> = drawn.collect();
        assert_eq!(drawn.len(), n);
        let written: Vec<f32> = drawn
            .iter()
            .flat_map(|i| &values[i * classes..(i + 1) * classes])
            .copied()
            .collect();
        let written_targets: Vec<u32> = drawn.iter().map(|i| targets[*i]).collect();
        let whole = figures(&written, classes, &written_targets);
        // With no resample but this one, each interval is the figure in it.
        let one = resamples.only(lane);
        let areas = AllAreas::of(&scores, &targets, &rows, &one, &mut |_| Ok(())).unwrap();
        let near = |what: &str, got: f64, expected: f64| {
            assert!((got - expected).abs() < 1e-9, "{what}: {got} {expected}");
        };
        for (class, [precision, auc]) in areas.classes.iter().enumerate() {
            let expected = &whole.per_class[class];
            near(
                "AP",
                precision.unwrap().low,
                expected.average_precision.unwrap().value,
            );
            near("AUC", auc.unwrap().low, expected.auc.unwrap().value);
            near("F1", counted.f1[class][lane], expected.f1.unwrap().value);
        }
        let average = |of: &Averages| {
            let [a, b] = [of.average_precision, of.auc];
            [a.unwrap().value, b.unwrap().value]
        };
        for (got, expected) in [
            (areas.plain, average(&whole.macro_average)),
            (areas.weighted, average(&whole.weighted_average)),
            (areas.pairs, average(&whole.micro_average)),
        ] {
            near("average AP", got[0].unwrap().low, expected[0]);
            near("average AUC", got[1].unwrap().low, expected[1]);
        }
        near(
            "macro F1",
            counted.plain[lane][2],
            whole.macro_average.f1.value,
        );
        near(
            "weighted F1",
            counted.weighted[lane][2],
            whole.weighted_average.f1.value,
        );
        let reliability = Reliability::of(&scores, &targets, &one, 1.0).unwrap();
        let expected = whole.calibration.unwrap().plain;
        near("ECE", reliability.ece.low, expected.ece.value);
        near("NLL", reliability.nll.low, expected.nll.value);
        near("Brier", reliability.brier.low, expected.brier.value);
    }
}

/// Scores that are read from where they lie, as from a file.
struct Pieces<'a> {
    matrix: Matrix<'a>,
    most: std::cell::Cell<usize>,
}

impl Scores for Pieces<'_> {
    fn samples(&self) -> usize {
        self.matrix.samples()
    }
    fn classes(&self) -> usize {
        self.matrix.classes
    }
    fn kind(&self) -> ScoreKind {
        self.matrix.kind
    }
    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        self.most.set(self.most.get().max(into.len()));
        self.matrix.read(rows, into)
    }
}

#[test]
fn rows_are_read_piece_by_piece() {
    let (n, classes) = (3000, 300);
    let (values, targets) = draw(n, classes, 2);
    let pieces = Pieces {
        matrix: logits(&values, classes),
        most: 0.into(),
    };
    let mut last = 0.0;
    let split = SplitScores {
        scores: &pieces,
        targets: &targets,
    };
    let of = evaluate(split, None, 0, &mut |share| {
        assert!((last..=1.0).contains(&share), "{share} after {last}");
        last = share;
        Ok(())
    })
    .unwrap();
    assert!(pieces.most.get() < values.len() / 3);
    assert_eq!(of.confusion, None);
    assert!(last > 0.9);
    let right = predictions(&pieces).unwrap();
    let right = right.iter().zip(&targets).filter(|(a, b)| a == b).count();
    assert_eq!(of.accuracy.value, right as f64 / n as f64);
}

#[test]
fn an_evaluation_that_is_ended_says_why() {
    let (values, targets) = draw(40, 3, 3);
    let scores = logits(&values, 3);
    let split = SplitScores {
        scores: &scores,
        targets: &targets,
    };
    let ended = evaluate(split, None, 0, &mut |_| {
        Err(crate::Error::Threads("nobody waits".to_owned()))
    });
    assert!(ended.unwrap_err().to_string().contains("nobody waits"));
}

#[test]
fn scores_that_cannot_be_evaluated_are_refused_by_name() {
    let of = |values: &[f32], kind, targets: &[u32]| {
        let scores = Matrix {
            values,
            classes: 2,
            kind,
        };
        let split = SplitScores {
            scores: &scores,
            targets,
        };
        let refused = evaluate(split, None, 0, &mut |_| Ok(())).unwrap_err();
        refused.to_string()
    };
    let logits = ScoreKind::Logits;
    assert!(of(&[], logits, &[]).starts_with("scores: "));
    assert!(of(&[0.0, 1.0], logits, &[0, 1]).starts_with("targets: must be 1"));
    assert!(of(&[0.0, 1.0], logits, &[2]).starts_with("targets: must be below 2"));
    assert!(of(&[0.0, f32::NAN], logits, &[0]).contains("sample 0"));
    assert!(of(&[0.5, 0.5, 0.1, f32::INFINITY], logits, &[0, 1]).contains("sample 1"));
    assert!(of(&[-0.1, 1.1], ScoreKind::Probabilities, &[0]).contains("-0.1"));
    let scores = Matrix {
        values: &[0.0, 1.0],
        classes: 2,
        kind: logits,
    };
    assert!(
        curves(&scores, &[0], &[2])
            .unwrap_err()
            .to_string()
            .starts_with("class: ")
    );
}

#[test]
fn a_threshold_is_chosen_on_validation_and_told_on_the_split() {
    // Of ten validation samples the less certain half is wrong.
    let logits_of = |leads: &[f32]| leads.iter().flat_map(|lead| [*lead, 0.0]).collect();
    let leads: Vec<f32> = (1..=10).map(|i| i as f32 / 2.0).collect();
    let values: Vec<f32> = logits_of(&leads);
    let validation_targets = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
    // Of the split's four samples, two are more certain than the threshold, and one of them is wrong.
    let split_values: Vec<f32> = logits_of(&[1.0, 2.0, 3.0, 4.0]);
    let (scores, validation) = (logits(&split_values, 2), logits(&values, 2));
    let split = |scores, targets| SplitScores { scores, targets };
    let of = evaluate(
        split(&scores, &[0, 0, 1, 0]),
        Some(split(&validation, &validation_targets)),
        0,
        &mut |_| Ok(()),
    )
    .unwrap();
    for choice in &of.selective.choices {
        let threshold = choice.threshold.unwrap();
        assert!((threshold - 1.0 / (1.0 + (-3.0f64).exp())).abs() < 1e-7);
        assert_eq!(choice.coverage.unwrap().value, 0.5);
        assert_eq!(choice.accuracy.unwrap().value, 0.5);
    }
    let curve: Vec<_> = of
        .selective
        .curve
        .iter()
        .map(|p| [p.coverage, p.accuracy])
        .collect();
    assert_eq!(curve.first(), Some(&[0.25, 1.0]));
    assert_eq!(curve.last(), Some(&[1.0, 0.75]));
    // A network that is never right reaches no accuracy.
    let wrong = evaluate(
        split(&scores, &[1; 4]),
        Some(split(&scores, &[1; 4])),
        0,
        &mut |_| Ok(()),
    )
    .unwrap();
    assert!(
        wrong
            .selective
            .choices
            .iter()
            .all(|choice| choice.threshold.is_none())
    );
}

#[test]
fn mistakes_come_by_their_confidence_and_confusions_by_their_number() {
    let values = [5.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 2.0];
    let of = figures(&values, 3, &[1, 1, 0, 2]);
    let places: Vec<usize> = of.mistakes.iter().map(|mistake| mistake.index).collect();
    assert_eq!(places, [0, 2, 1]);
    assert_eq!(
        of.confusions[0],
        Confusion {
            truth: 1,
            predicted: 0,
            count: 2
        }
    );
    assert_eq!(of.confusions.len(), 2);
}
