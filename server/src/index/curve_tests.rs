//! Curves that were stored piece by piece, held against what is computed from all values at once.

use rusqlite::Connection;
use serde_json::{Value, json};
use vivarium_models::contract::NotFinite;

use super::ema::ExponentialMovingAverage;
use super::events;
use super::metrics::{self, Metrics, Wanted};
use super::moving::MovingAverages;
use super::runs::{self, NewRun, Status};
use super::{Index, curves};
use crate::run_dir::RunId;
use crate::run_dir::tail::Place;
/// A run in an index of its own.
struct Told {
    _folder: tempfile::TempDir,
    index: Index,
    id: RunId,
    seq: u64,
    place: Place,
}

impl Told {
    async fn begun() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(&folder.path().join("index.sqlite3")).unwrap();
        let id = RunId::next();
        let spec = json!({"training": {"batch_size": 4}}).to_string();
        let new = NewRun::new(id, "a run".into(), spec, None, Status::Running);
        index.write(move |w| runs::insert(w, &new)).await.unwrap();
        let mut told = Self {
            _folder: folder,
            index,
            id,
            seq: 0,
            place: Place::default(),
        };
        told.tell(vec![
            json!({"kind": "started", "steps_per_epoch": 3, "train_samples": 10}),
        ])
        .await;
        told
    }

    async fn tell(&mut self, events: Vec<Value>) {
        let (id, from) = (self.id, self.place);
        let mut lines = Vec::new();
        for mut event in events {
            self.seq += 1;
            event["seq"] = self.seq.into();
            lines.push(event.to_string());
        }
        self.place.offset += 1;
        let to = self.place;
        let done = self
            .index
            .write(move |w| events::append(w, id, from, &lines, to));
        assert!(done.await.unwrap());
    }

    /// Lines of `per_line` steps each, from step `first` on.
    async fn steps(&mut self, first: u64, loss: &[f64], per_line: usize) {
        let mut events = Vec::new();
        for (i, part) in loss.chunks(per_line).enumerate() {
            let first_step = first + (i * per_line) as u64;
            let last = first_step + part.len() as u64 - 1;
            let hole = part.iter().find(|value| !value.is_finite());
            let word = |hole: &f64| NotFinite::of(*hole).map(NotFinite::name);
            events.push(json!({
                "kind": "steps", "first_step": first_step, "epoch": 1, "samples_seen": 4 * last,
                "seconds": last as f64 / 10.0, "loss": part, "accuracy": part, "lr": part, "not_finite": hole.and_then(word),
            }));
        }
        self.tell(events).await;
    }

    async fn metrics(&self, wanted: &Wanted) -> Metrics {
        let (id, wanted) = (self.id, wanted.clone());
        let read = move |c: &Connection, a: &MovingAverages| metrics::read(c, a, id, &wanted);
        self.index.read_curves(read).await.unwrap()
    }
}

fn wanted(points: usize) -> Wanted {
    Wanted {
        series: vec!["train_loss".into()],
        x: "step".into(),
        points,
        from: None,
        to: None,
        smooth: None,
    }
}

/// A course with noise, spikes and holes.
fn course(length: usize) -> Vec<f64> {
    let mut state = 1_u32;
    let noise = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    });
    let mut y: Vec<_> = noise
        .enumerate()
        .map(|(i, noise)| 3.0 / (1.0 + i as f64 / 500.0) + noise)
        .collect();
    for (i, value) in [
        (7, f64::NAN),
        (63, 90.0),
        (64, -90.0),
        (4095, f64::INFINITY),
        (4096, 80.0),
    ] {
        if let Some(y) = y.get_mut(i) {
            *y = value;
        }
    }
    y
}

/// Every point is one of the curve, every extreme of every stretch of the range is there, and so is each hole's mark.
fn assert_drawn(series: &metrics::Series, y: &[f64], first: usize, points: usize) {
    assert_eq!(series.total, y.len());
    assert!(
        series.x.len() <= points + points / 2 + 3,
        "{} points",
        series.x.len()
    );
    assert!(series.x.is_sorted_by(|a, b| a < b));
    for (x, value) in series.x.iter().zip(&series.y) {
        let of = y[*x as usize - first];
        assert_eq!(*value, Some(of).filter(|of| of.is_finite()), "at {x}");
    }
    let finite = || y.iter().copied().filter(|y| y.is_finite());
    for extreme in [
        finite().fold(f64::MAX, f64::min),
        finite().fold(f64::MIN, f64::max),
    ] {
        assert!(series.y.contains(&Some(extreme)), "{extreme}");
    }
    let ends = [first as f64, (first + y.len() - 1) as f64];
    assert_eq!([series.x[0], series.x[series.x.len() - 1]], ends);
}

#[tokio::test]
async fn any_stretch_of_a_curve_has_its_extremes_however_it_was_told() {
    let y = course(20_000);
    for per_line in [1, 7, 64, 500] {
        let mut told = Told::begun().await;
        let (early, late) = y.split_at(12_345);
        told.steps(1, early, per_line).await;
        told.steps(12_346, late, per_line).await;
        for points in [2, 3, 10, 100, 1000, 100_000] {
            for (from, to) in [
                (1, 20_000),
                (2, 4097),
                (60, 70),
                (4000, 19_999),
                (9000, 9300),
            ] {
                let metrics = told
                    .metrics(&Wanted {
                        from: (from > 1).then_some(from as f64),
                        to: (to < 20_000).then_some(to as f64),
                        ..wanted(points)
                    })
                    .await;
                // One point more on either side.
                let (from, to) = (from.max(2) - 1, (to + 1).min(20_000));
                let series = &metrics.series["train_loss"];
                assert_drawn(series, &y[from - 1..to], from, points.max(2));
                let marks: Vec<_> = series
                    .not_finite
                    .iter()
                    .map(|mark| (mark.x, mark.kind))
                    .collect();
                assert_eq!(marks, [(8.0, NotFinite::Nan), (4096.0, NotFinite::Inf)]);
            }
        }
    }
}

#[tokio::test]
async fn the_moving_average_is_that_of_all_values_and_grows_with_the_curve() {
    let y = course(30_000);
    let mut told = Told::begun().await;
    let mut length = 0;
    for more in [100, 155, 1, 300, 9000, 20_000] {
        let new: Vec<_> = y[length..].iter().copied().take(more).collect();
        told.steps(length as u64 + 1, &new, 100).await;
        length += new.len();
        for weight in [0.0, 0.9, 0.999] {
            let mut average = ExponentialMovingAverage::new(weight);
            let whole: Vec<_> = y[..length].iter().map(|&y| average.next(y)).collect();
            for points in [10, 300, 100_000] {
                for from in [None, Some(length as f64 / 3.0)] {
                    let metrics = told
                        .metrics(&Wanted {
                            smooth: Some(weight),
                            from,
                            ..wanted(points)
                        })
                        .await;
                    let line = metrics.series["train_loss"].smoothed.as_ref().unwrap();
                    for (x, value) in line.x.iter().zip(&line.y) {
                        let of = whole[*x as usize - 1];
                        match value {
                            Some(value) => {
                                assert!((value - of).abs() <= of.abs() * 1e-6, "{x}: {value} {of}")
                            }
                            None => assert!(of.is_nan(), "{x}"),
                        }
                    }
                    let start = line.x[0] as usize - 1;
                    let finite = || whole[start..].iter().copied().filter(|y| y.is_finite());
                    let drawn = || line.y.iter().flatten().copied();
                    let near = |a: f64, b: f64| assert!((a - b).abs() <= a.abs() * 1e-6, "{a} {b}");
                    near(
                        finite().fold(f64::MAX, f64::min),
                        drawn().fold(f64::MAX, f64::min),
                    );
                    near(
                        finite().fold(f64::MIN, f64::max),
                        drawn().fold(f64::MIN, f64::max),
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_curve_that_comes_in_small_pieces_is_the_same() {
    let mut told = Told::begun().await;
    let mut y = course(7000);
    for (i, piece) in y.chunks(7).enumerate() {
        told.steps(7 * i as u64 + 1, piece, 7).await;
        if piece.len() == 7 && i % 2 == 0 {
            let epoch = i as u64 / 2 + 1;
            told.tell(vec![
                json!({"kind": "epoch", "epoch": epoch, "step": 7 * i + 7, "train": {"loss": 1.0},
                "validation": {"loss": epoch}, "elapsed": epoch}),
            ])
            .await;
        }
    }
    for points in [10, 300, 10_000] {
        let metrics = told.metrics(&wanted(points)).await;
        assert_drawn(&metrics.series["train_loss"], &y, 1, points);
    }
    let ends = Wanted {
        series: vec!["validation_loss".into(), "time".into()],
        ..wanted(10_000)
    };
    let metrics = told.metrics(&ends).await;
    let series = &metrics.series["validation_loss"];
    let epochs = 1..=series.x.len() as u64;
    assert_eq!(series.x.len(), 500);
    for (epoch, (x, loss)) in epochs.zip(series.x.iter().zip(&series.y)) {
        assert_eq!((*x, *loss), ((14 * epoch - 7) as f64, Some(epoch as f64)));
    }
    assert!(metrics.series["time"].y.is_sorted_by(|a, b| a <= b));
    // Some steps again, from the middle of a row that was made of many.
    told.steps(301, &[9.0; 80], 7).await;
    y.truncate(300);
    y.extend([9.0; 80]);
    let metrics = told.metrics(&wanted(10_000)).await;
    assert_drawn(&metrics.series["train_loss"], &y, 1, 10_000);
    let metrics = told.metrics(&ends).await;
    assert_eq!(metrics.series["validation_loss"].x.last(), Some(&287.0));
}

#[tokio::test]
async fn a_point_after_missing_steps_lies_at_its_own_step() {
    let mut told = Told::begun().await;
    told.steps(1, &[1.0; 700], 100).await;
    told.steps(5001, &[2.0; 700], 100).await;
    for points in [10, 10_000] {
        let metrics = told.metrics(&wanted(points)).await;
        let series = &metrics.series["train_loss"];
        let points = series.x.iter().zip(&series.y);
        for (x, y) in points {
            let known = [(1.0..=700.0, 1.0), (5001.0..=5700.0, 2.0)];
            let lies = known
                .iter()
                .any(|(steps, loss)| steps.contains(x) && *y == Some(*loss));
            assert!(lies, "{y:?} at {x}");
        }
        assert_eq!([series.x[0], series.x[series.x.len() - 1]], [1.0, 5700.0]);
    }
}

#[tokio::test]
async fn a_step_that_is_done_again_counts_once() {
    let mut told = Told::begun().await;
    let y = course(3000);
    told.steps(1, &y, 64).await;
    let smooth = Wanted {
        smooth: Some(0.9),
        ..wanted(10)
    };
    told.metrics(&smooth).await;
    told.tell(vec![
        json!({"kind": "epoch", "epoch": 1, "step": 1500, "train": {"loss": 1.0}, "elapsed": 150.0}),
        json!({"kind": "epoch", "epoch": 2, "step": 3000, "train": {"loss": 2.0}, "validation": {"loss": 2.5}, "elapsed": 300.0}),
        json!({"kind": "epoch", "epoch": 2, "step": 3000, "train": {"loss": 3.0}, "validation": {"loss": 3.5}, "elapsed": 300.0}),
    ])
    .await;
    let all = Wanted {
        series: metrics::SERIES.map(str::to_owned).to_vec(),
        ..wanted(10_000)
    };
    let metrics = told.metrics(&all).await;
    assert_eq!(metrics.series["epoch_train_loss"].y, [Some(1.0), Some(3.0)]);
    assert_eq!(metrics.series["validation_loss"].y, [Some(3.5)]);
    // From the middle of a line on, other than before, and fewer.
    told.steps(2000, &[9.0; 500], 100).await;
    let metrics = told.metrics(&all).await;
    let mut now = y[..1999].to_vec();
    now.extend([9.0; 500]);
    assert_drawn(&metrics.series["train_loss"], &now, 1, 10_000);
    assert_eq!(metrics.series["epoch_train_loss"].y, [Some(1.0)]);
    assert!(metrics.series["validation_loss"].y.is_empty());
    let seconds = &metrics.series["time"].y;
    assert!(seconds.is_sorted_by(|a, b| a <= b), "time goes on");
    assert_eq!(metrics.series["samples"].y[3], Some(14.0));
    // What was kept of the average is of what was before.
    let metrics = told.metrics(&smooth).await;
    let line = metrics.series["train_loss"].smoothed.as_ref().unwrap();
    let mut average = ExponentialMovingAverage::new(0.9);
    let last = now.iter().map(|&y| average.next(y)).next_back().unwrap();
    assert!((line.y.last().unwrap().unwrap() - last).abs() < 1e-5);
    // Thinned, from blocks that were cut back and made again.
    assert_drawn(
        &told.metrics(&wanted(10)).await.series["train_loss"],
        &now,
        1,
        10,
    );
}

#[tokio::test]
async fn a_run_in_which_nothing_is_finite_is_told_in_few_marks() {
    let mut told = Told::begun().await;
    told.steps(1, &[f64::NEG_INFINITY; 50_000], 500).await;
    let metrics = told.metrics(&wanted(100)).await;
    let series = &metrics.series["train_loss"];
    assert!(
        (500..=1100).contains(&series.not_finite.len()),
        "{}",
        series.not_finite.len()
    );
    assert_eq!(
        (series.not_finite[0].x, series.not_finite[0].kind),
        (1.0, NotFinite::NegInf)
    );
}

#[tokio::test]
async fn an_imported_run_has_curves_with_steps_of_their_own() {
    let mut told = Told::begun().await;
    let id = told.id;
    let source = json!({"name": "theirs", "source": {"kind": "tensorboard", "files": [], "series": {}, "not_shown": [],
        "other": {}, "began": null, "ended": null, "remarks": []}});
    told.index
        .write(move |w| {
            w.execute(
                "UPDATE runs SET spec = ?2 WHERE id = ?1",
                [id.to_string(), source.to_string()],
            )?;
            Ok(())
        })
        .await
        .unwrap();
    told.tell(vec![
        json!({"kind": "scalars", "tag": "loss", "series": "train_loss", "step": [10, 20, 40], "seconds": [1, 2, 1.5], "value": [3, null, 2], "not_finite": "-inf"}),
        json!({"kind": "scalars", "tag": "acc", "series": "validation_accuracy", "percent": true, "step": [40, 50], "seconds": [3, 4], "value": [50, 60]}),
    ])
    .await;
    let mut all = Wanted {
        series: metrics::SERIES.map(str::to_owned).to_vec(),
        ..wanted(100)
    };
    let metrics = told.metrics(&all).await;
    let loss = &metrics.series["train_loss"];
    assert_eq!(
        (&loss.x[..], &loss.y[..]),
        (&[10.0, 20.0, 40.0][..], &[Some(3.0), None, Some(2.0)][..])
    );
    assert_eq!(
        (loss.not_finite[0].x, loss.not_finite[0].kind),
        (20.0, NotFinite::NegInf)
    );
    assert_eq!(
        metrics.series["validation_accuracy"].y,
        [Some(0.5), Some(0.6)]
    );
    let time = &metrics.series["time"];
    assert_eq!(
        (&time.x[..], &time.y[..]),
        (
            &[10.0, 20.0, 40.0, 50.0][..],
            &[1.0, 2.0, 2.0, 4.0].map(Some)[..]
        )
    );
    assert!(metrics.series["lr"].y.is_empty());
    all.x = "time".into();
    assert_eq!(
        told.metrics(&all).await.series["train_loss"].x,
        [1.0, 2.0, 2.0]
    );
}

#[tokio::test]
async fn curves_of_an_older_index_are_made_of_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite3");
    let id = RunId::next();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "CREATE TABLE runs (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, tags TEXT NOT NULL DEFAULT '[]',
            notes TEXT NOT NULL DEFAULT '', sweep TEXT, spec TEXT NOT NULL, status TEXT NOT NULL,
            stopping INTEGER NOT NULL DEFAULT 0, queued INTEGER, reason TEXT, message TEXT NOT NULL DEFAULT '',
            summary TEXT NOT NULL DEFAULT '{}', offset INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL DEFAULT 0,
            changed INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX runs_changed ON runs (changed);
        CREATE TABLE events (
            run INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq)
        ) WITHOUT ROWID;
        CREATE TABLE curves (
            run INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, seq)
        ) WITHOUT ROWID;
        PRAGMA user_version = 2;",
    )
    .unwrap();
    old.execute(
        "INSERT INTO runs (key, id, name, spec, status, changed, seq, offset) VALUES (7, ?1, 'mine', '{}', 'finished', 1, 3, 99)",
        [id.to_string()],
    )
    .unwrap();
    for (seq, body) in [
        (
            1,
            r#"{"seq":1,"kind":"steps","first_step":1,"epoch":1,"samples_seen":8,"loss":[2.5,1.5],"accuracy":[0.1,0.2],"lr":[0.1,0.1]}"#,
        ),
        (2, r#"{"epoch":4,"seq":2,"kind":"boundary"}"#),
        (3, r#"{"loss":0.5,"kind":"test","seq":3}"#),
    ] {
        old.execute("INSERT INTO events VALUES (7, ?1, ?2)", (seq, body))
            .unwrap();
    }
    drop(old);
    let index = Index::open(&path).unwrap();
    // What comes in meanwhile waits for its turn.
    let line = r#"{"seq":4,"kind":"steps","first_step":3,"epoch":1,"samples_seen":8,"loss":[1.0],"accuracy":[0.1],"lr":[0.1]}"#;
    let (from, to) = (
        Place {
            offset: 99,
            line: None,
        },
        Place {
            offset: 200,
            line: None,
        },
    );
    let append = move |w: &super::Writing<'_>| events::append(w, id, from, &[line.to_owned()], to);
    assert!(index.write(append).await.unwrap());
    assert_eq!(index.read(runs::without_curves).await.unwrap(), [id]);
    while index.write(move |w| curves::derive(w, id)).await.unwrap() {}
    assert!(index.read(runs::without_curves).await.unwrap().is_empty());
    let read = move |c: &Connection, a: &MovingAverages| metrics::read(c, a, id, &wanted(10));
    let metrics = index.read_curves(read).await.unwrap();
    assert_eq!(metrics.last_seq, 4);
    assert_eq!(metrics.series["train_loss"].y, [2.5, 1.5, 1.0].map(Some));
    let marks = move |c: &Connection| {
        let test = curves::marked(c, 7, curves::Mark::Test, None)?;
        Ok((test, curves::marked_epochs(c, 7, curves::Mark::Boundary)?))
    };
    let (test, epochs) = index.read(marks).await.unwrap();
    assert_eq!(
        (test.unwrap().contains("0.5"), &epochs[..]),
        (true, &[4][..])
    );
    assert_eq!(
        index.runs(|c| runs::with_keys(c, &[7])).await.unwrap()[0].name,
        "mine"
    );
}
