//! Tests of the lines of `events.ndjson`.

use serde_json::Value;

use super::event::*;
use super::not_finite::NotFinite;

const STEPS: &str =
    r#""seq":3,"first_step":1,"epoch":1,"samples_seen":4,"loss":[0.5],"accuracy":[1],"lr":[1]"#;

fn record(event: Event) -> Record {
    Record {
        seq: 7,
        time: "2026-01-01T00:00:00.000Z".into(),
        event,
    }
}

/// Every kind of event, with losses that JSON has no number for.
fn events() -> Vec<Event> {
    let started = Started {
        classes: vec!["cat".into(), "dog".into()],
        instructions: "avx2".into(),
        parameters: 42,
        ..Started::default()
    };
    vec![
        Event::Started(Box::new(started)),
        Event::Steps(Steps {
            first_step: 1,
            epoch: 1,
            samples_seen: 8,
            seconds: 0.5,
            loss: vec![0.1, f64::INFINITY],
            accuracy: vec![0.5, 0.25],
            lr: vec![0.1, 0.01],
            images_per_s: Some(12.0),
            not_finite: Some(NotFinite::Inf),
        }),
        Event::Epoch(Epoch::new(
            1,
            2,
            8,
            Score::new(f64::NEG_INFINITY, 0.5),
            Some(Score::new(f64::INFINITY, 0.25)),
        )),
        Event::Boundary(Boundary {
            epoch: 1,
            step: 2,
            x: [-1.0, 1.0],
            y: [-2.0, 2.0],
            columns: 1,
            rows: 1,
            cells: "AA==".into(),
            linear: Some(LinearWeights {
                rows: vec![[0.1, -2.5e-8, 3.0]],
                mean: [0.5, -0.25],
                deviation: [1.0, 0.3],
            }),
        }),
        Event::Checkpoint {
            which: Which::Best,
            epoch: 1,
            step: 2,
        },
        Event::Test(Test {
            score: Score::new(f64::INFINITY, 0.5),
            confusion: vec![vec![1, 0], vec![1, 0]],
        }),
        Event::Preparing { done: None, of: 20 },
        Event::Preparing {
            done: Some(3),
            of: 20,
        },
        Event::Note {
            message: "a note".into(),
        },
        Event::Finished {
            reason: Reason::EarlyStopped,
            message: "no better".into(),
        },
        Event::Imported {
            from: "tensorboard".into(),
            wall_time: 1.25,
        },
        Event::Scalars(Scalars {
            tag: "val/acc".into(),
            series: None,
            percent: true,
            step: vec![1, 2],
            seconds: vec![0.0, 1.5],
            value: vec![50.0, f64::NEG_INFINITY],
            not_finite: Some(NotFinite::NegInf),
        }),
    ]
}

#[test]
fn every_event_is_read_as_it_was_written() {
    for event in events() {
        let record = record(event);
        let line = record.to_line().unwrap();
        assert!(
            !line.contains('\n') && line.starts_with(r#"{"kind":""#),
            "{line}"
        );
        assert_eq!(Record::parse(&line).unwrap(), record, "{line}");
    }
}

#[test]
fn each_loss_that_is_null_has_its_own_word() {
    let epoch = |train, validation: Option<f64>| {
        let validation = validation.map(|loss| Score::new(loss, 0.5));
        let end = Epoch::new(1, 1, 1, Score::new(train, 0.5), validation);
        let line = record(Event::Epoch(end)).to_line().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let word = |part: &Value| part["not_finite"].as_str().map(str::to_owned);
        [word(&line), word(&line["train"]), word(&line["validation"])]
    };
    let words = |words: [Option<&str>; 3]| words.map(|word| word.map(str::to_owned));
    let (nan, inf, neg) = (Some("nan"), Some("inf"), Some("-inf"));
    assert_eq!(
        epoch(f64::NEG_INFINITY, Some(f64::NAN)),
        words([neg, neg, nan])
    );
    assert_eq!(epoch(0.5, Some(f64::NEG_INFINITY)), words([neg, None, neg]));
    assert_eq!(epoch(f64::INFINITY, None), words([inf, inf, None]));
    assert_eq!(epoch(0.5, Some(0.25)), words([None, None, None]));
}

#[test]
fn an_epoch_of_an_earlier_version_has_one_word_for_its_losses() {
    let line = r#"{"kind":"epoch","seq":1,"epoch":1,"train":{"loss":null,"accuracy":0.5},"validation":{"loss":null,"accuracy":0.5},"not_finite":"inf"}"#;
    let Event::Epoch(end) = Record::parse(line).unwrap().event else {
        panic!("{line}");
    };
    let losses = [end.train.loss, end.validation.unwrap().loss];
    assert_eq!(losses, [f64::INFINITY; 2]);
}

#[test]
fn the_order_of_keys_means_nothing() {
    for line in [
        format!(r#"{{"kind":"steps",{STEPS}}}"#),
        format!(r#"{{{STEPS},"kind":"steps"}}"#),
    ] {
        let Record { seq, event, .. } = Record::parse(&line).unwrap();
        let Event::Steps(steps) = event else {
            panic!("{event:?}");
        };
        assert_eq!((seq, steps.first_step, steps.loss), (3, 1, vec![0.5]));
    }
}

#[test]
fn an_event_that_is_not_understood_is_unknown_and_one_without_a_number_is_refused() {
    for line in [
        r#"{"kind":"of a later version","seq":1,"steps":[1]}"#,
        r#"{"kind":"steps","seq":1}"#,
        r#"{"kind":"finished","seq":1,"reason":"of a later version"}"#,
    ] {
        let record = Record::parse(line).unwrap();
        assert_eq!((record.seq, &record.event), (1, &Event::Unknown), "{line}");
        assert!(record.to_line().is_err());
    }
    let (_, unnumbered) = STEPS.split_once(',').unwrap();
    for line in [
        format!(r#"{{"kind":"steps",{unnumbered}}}"#),
        format!("{{{STEPS}}}"),
        "[]".to_owned(),
        String::new(),
    ] {
        assert!(Record::parse(&line).is_err(), "{line}");
    }
}
