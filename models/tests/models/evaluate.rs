//! Figures of predictions compared with scikit-learn, NumPy and SciPy: `golden/evaluation.py` makes the cases.

use serde::Deserialize;
use vivarium_models::evaluate::{
    Averages, Evaluation, Figure, LabelQuality, Matrix, McNemar, ScoreKind, SplitScores, curves,
    evaluate, fit_temperature, predictions, suspects,
};

use crate::python;

/// The most that a figure may differ.
const CLOSE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: ScoreKind,
    classes: usize,
    scores: Vec<f32>,
    targets: Vec<u32>,
    second: Vec<u32>,
    expected: Expected,
    mcnemar: ExpectedMcNemar,
    fit: Option<ExpectedFit>,
}

#[derive(Deserialize)]
struct Expected {
    accuracy: f64,
    top_5: Option<f64>,
    r#macro: [Option<f64>; 5],
    weighted: [Option<f64>; 5],
    micro: [Option<f64>; 5],
    per_class: Vec<(u64, [Option<f64>; 5])>,
    confusion: Vec<Vec<u64>>,
    ece: Option<f64>,
    bins: Option<Vec<u64>>,
    nll: Option<f64>,
    brier: Option<f64>,
}

#[derive(Deserialize)]
struct ExpectedMcNemar {
    only_first: u64,
    only_second: u64,
    exact: bool,
    p_value: f64,
}

#[derive(Deserialize)]
struct ExpectedFit {
    temperature: f64,
    nll_before: f64,
    nll_after: f64,
}

fn close(what: &str, got: Option<f64>, expected: Option<f64>) {
    let same = match (got, expected) {
        (None, None) => true,
        (Some(got), Some(expected)) => (got - expected).abs() <= CLOSE,
        _ => false,
    };
    assert!(same, "{what}: {got:?}, expected {expected:?}");
}

fn of_averages(of: &Averages) -> [Option<Figure>; 5] {
    [
        Some(of.precision),
        Some(of.recall),
        Some(of.f1),
        of.average_precision,
        of.auc,
    ]
}

fn all_close(what: &str, got: [Option<Figure>; 5], expected: [Option<f64>; 5]) {
    let names = ["precision", "recall", "F1", "average precision", "AUC"];
    for ((name, got), expected) in names.iter().zip(got).zip(expected) {
        close(&format!("{what}, {name}"), got.map(|of| of.value), expected);
        if let Some(Figure { value, low, high }) = got {
            assert!(
                low <= high && (0.0..=1.0).contains(&value) && low >= 0.0 && high <= 1.0,
                "{what}, {name}: {got:?}"
            );
        }
    }
}

impl Case {
    fn matrix(&self) -> Matrix<'_> {
        Matrix {
            values: &self.scores,
            classes: self.classes,
            kind: self.kind,
        }
    }

    fn evaluate(&self) -> Evaluation {
        let scores = self.matrix();
        let split = SplitScores {
            scores: &scores,
            targets: &self.targets,
        };
        evaluate(split, Some(split), 3, &mut |_| Ok(())).unwrap()
    }

    fn check(&self) {
        let (of, expected, name) = (self.evaluate(), &self.expected, &self.name);
        close(name, Some(of.accuracy.value), Some(expected.accuracy));
        close(name, of.top_5.map(|of| of.value), expected.top_5);
        for (how, got, expected) in [
            ("macro", &of.macro_average, expected.r#macro),
            ("weighted", &of.weighted_average, expected.weighted),
            ("micro", &of.micro_average, expected.micro),
        ] {
            all_close(&format!("{name}: {how}"), of_averages(got), expected);
        }
        for (class, (got, (support, figures))) in
            of.per_class.iter().zip(&expected.per_class).enumerate()
        {
            assert_eq!(got.support, *support, "{name}: class {class}");
            let got = [
                got.precision,
                got.recall,
                got.f1,
                got.average_precision,
                got.auc,
            ];
            all_close(&format!("{name}: class {class}"), got, *figures);
        }
        assert_eq!(of.confusion.as_ref(), Some(&expected.confusion), "{name}");
        let calibration = of.calibration.as_ref();
        assert_eq!(calibration.is_some(), self.kind != ScoreKind::Margins);
        close(name, calibration.map(|of| of.plain.ece.value), expected.ece);
        close(name, calibration.map(|of| of.plain.nll.value), expected.nll);
        close(
            name,
            calibration.map(|of| of.plain.brier.value),
            expected.brier,
        );
        let bins = calibration.map(|of| of.plain.bins.iter().map(|bin| bin.count).collect());
        assert_eq!(bins, expected.bins, "{name}");
        self.check_fit();
        let predicted = predictions(&self.matrix()).unwrap();
        let test = McNemar::of(&self.targets, &predicted, &self.second);
        assert_eq!(
            (test.only_first, test.only_second, test.exact),
            (
                self.mcnemar.only_first,
                self.mcnemar.only_second,
                self.mcnemar.exact
            ),
            "{name}"
        );
        close(name, Some(test.p_value), Some(self.mcnemar.p_value));
    }

    fn check_fit(&self) {
        let Some(expected) = &self.fit else { return };
        let fit = fit_temperature(&self.matrix(), &self.targets).unwrap();
        let name = format!("{}, temperature", self.name);
        assert!(fit.nll_after <= fit.nll_before, "{name}: {fit:?}");
        close(&name, Some(fit.nll_before), Some(expected.nll_before));
        close(&name, Some(fit.nll_after), Some(expected.nll_after));
        // Where the loss is flat, any temperature is the best.
        if (expected.nll_before - expected.nll_after).abs() > 1e-12 {
            close(&name, Some(fit.temperature), Some(expected.temperature));
        }
    }

    /// Each thinned curve encloses the area of the whole one, as far as a chart shows it.
    fn check_curves(&self) {
        let of = self.evaluate();
        let all: Vec<usize> = (0..self.classes).collect();
        for curves in curves(&self.matrix(), &self.targets, &all).unwrap() {
            let figures = &of.per_class[curves.class];
            let name = format!("{}: class {}", self.name, curves.class);
            assert_eq!(curves.roc.is_empty(), figures.auc.is_none(), "{name}");
            let without = figures.average_precision.is_none();
            assert_eq!(curves.precision_recall.is_empty(), without, "{name}");
            let Some(auc) = figures.auc else { continue };
            assert_eq!(curves.roc.first(), Some(&[0.0, 0.0]));
            assert_eq!(curves.roc.last(), Some(&[1.0, 1.0]));
            let area: f64 = curves
                .roc
                .windows(2)
                .map(|pair| (pair[1][0] - pair[0][0]) * (pair[0][1] + pair[1][1]) / 2.0)
                .sum();
            assert!((area - auc.value).abs() < 1.5e-3, "{name}: {area} {auc:?}");
            let recalls: Vec<f64> = curves
                .precision_recall
                .iter()
                .map(|point| point[0])
                .collect();
            assert!(
                recalls.is_sorted() && recalls.last() == Some(&1.0),
                "{name}"
            );
        }
    }
}

#[test]
fn figures_are_those_of_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/evaluation.json")).unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        case.check();
        case.check_curves();
    }
}

#[test]
fn figures_of_a_thousand_random_cases_are_those_of_scikit_learn() {
    if !python::has(
        "evaluate::figures_of_a_thousand_random_cases",
        &["sklearn", "scipy"],
    ) {
        return;
    }
    let lines = python::run("evaluation.py", &[], &["random", "1000"]);
    let mut checked = 0;
    for line in lines.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        case.check();
        case.check_curves();
        checked += 1;
    }
    assert_eq!(checked, 1000);
}

#[derive(Deserialize)]
struct LabelCase {
    name: String,
    classes: usize,
    probabilities: Vec<f32>,
    labels: Vec<u32>,
    self_confidence: Vec<f64>,
    normalized_margin: Vec<f64>,
    issues: Vec<usize>,
}

#[test]
fn suspected_label_errors_are_those_of_cleanlab() {
    let cases: Vec<LabelCase> =
        serde_json::from_str(include_str!("../golden/label_issues.json")).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let scores = Matrix {
            values: &case.probabilities,
            classes: case.classes,
            kind: ScoreKind::Probabilities,
        };
        for (quality, expected) in [
            (LabelQuality::SelfConfidence, &case.self_confidence),
            (LabelQuality::NormalizedMargin, &case.normalized_margin),
        ] {
            let of = suspects(&scores, &case.labels, quality).unwrap();
            assert_eq!(of.len(), expected.len());
            assert!(of.is_sorted_by(|a, b| a.quality <= b.quality));
            for suspect in &of {
                close(
                    &case.name,
                    Some(suspect.quality),
                    Some(expected[suspect.index]),
                );
            }
            let mut issues: Vec<usize> = of
                .iter()
                .filter(|suspect| suspect.confident)
                .map(|suspect| suspect.index)
                .collect();
            issues.sort_unstable();
            assert_eq!(issues, case.issues, "{}", case.name);
        }
    }
    let margins = Matrix {
        values: &[0.0, 1.0],
        classes: 2,
        kind: ScoreKind::Margins,
    };
    assert!(suspects(&margins, &[0], LabelQuality::default()).is_err());
}
