//! Writes a run's events as a TensorBoard event file. `docs/tensorboard.md` lists the tags.
//!
//! Values are 32-bit floats, as in TensorBoard. The time of a step in a line of many is interpolated linearly, as for
//! curves over time on the pages.

use std::io::{self, Write};
use std::time::SystemTime;

use prost::Message as _;
use serde_json::Value as Json;
use vivarium_models::contract::{self, Record, Scalars, Steps};

use super::event::{
    Event, HParamsData, Metadata, PluginData, SessionLog, SessionStart, Setting, Summary, Tensor,
    Value,
};
use super::record;
use crate::run_dir::RunId;

/// Facts about a run that precede its values in a file.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its settings: the RunSpec, or those that were imported.
    pub spec: Json,
}

impl RunInfo {
    /// For a run with this name and specification. The source of imported curves is no setting and is left out.
    pub fn of(id: RunId, name: String, mut spec: Json) -> Self {
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("source");
        }
        Self { id, name, spec }
    }

    /// A file name that TensorBoard recognises, with the time of creation and the id of the run.
    pub fn file_name(&self) -> String {
        format!(
            "events.out.tfevents.{}.vivarium.{}",
            self.created() as u64,
            self.id
        )
    }

    /// Seconds since 1970.
    fn created(&self) -> f64 {
        let since = self.id.created().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0.0, |since| since.as_secs_f64())
    }
}

/// A writer of an event file.
#[derive(Debug)]
pub struct EventFile<W> {
    out: W,
    bytes: Vec<u8>,
    /// The last step written.
    step: u64,
    /// Seconds of training until that step.
    seconds: f64,
    /// For an imported run, the time from which its seconds count.
    origin: f64,
}

impl<W: Write> EventFile<W> {
    /// Starts a file with its version and the run's settings.
    pub fn begin(out: W, about: &RunInfo) -> io::Result<Self> {
        let mut file = Self {
            out,
            bytes: Vec::new(),
            step: 0,
            seconds: 0.0,
            origin: 0.0,
        };
        let wall_time = about.created();
        file.event(&Event {
            wall_time,
            file_version: Some("brain.Event:2".to_owned()),
            ..Event::default()
        })?;
        let value = vec![settings(about), session(about, wall_time)];
        file.event(&Event {
            wall_time,
            summary: Some(Summary { value }),
            ..Event::default()
        })?;
        Ok(file)
    }

    /// Writes the values of the next line of the run's log. Lines without values are skipped.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        let Ok(Record { time, event, .. }) = Record::parse(text) else {
            return Ok(());
        };
        let moment = humantime::parse_rfc3339(&time).ok();
        let moment = moment.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let moment = moment.map_or(0.0, |since| since.as_secs_f64());
        match event {
            contract::Event::Imported { wall_time, .. } => {
                self.origin = wall_time;
                Ok(())
            }
            contract::Event::Steps(steps) => self.steps(&steps, moment),
            contract::Event::Epoch(end) => {
                let mut values = vec![
                    ("loss/train_epoch", end.train.loss),
                    ("accuracy/train_epoch", end.train.accuracy),
                    ("epoch", end.epoch as f64),
                ];
                if let Some(score) = &end.validation {
                    values.push(("loss/validation", score.loss));
                    values.push(("accuracy/validation", score.accuracy));
                }
                self.values(moment, end.step, &values)
            }
            contract::Event::Test(test) => {
                let values = [
                    ("loss/test", test.score.loss),
                    ("accuracy/test", test.score.accuracy),
                ];
                self.values(moment, self.step, &values)
            }
            contract::Event::Scalars(scalars) => self.scalars(&scalars),
            _ => Ok(()),
        }
    }

    /// Returns the underlying writer.
    pub fn finish(self) -> W {
        self.out
    }

    fn steps(&mut self, steps: &Steps, moment: f64) -> io::Result<()> {
        let count = steps.loss.len();
        if steps.first_step <= self.step {
            // The step is repeated after a checkpoint, so readers must drop the values that they have.
            let again = Event {
                wall_time: moment,
                step: steps.first_step as i64,
                session_log: Some(SessionLog {
                    status: SessionLog::START,
                }),
                ..Event::default()
            };
            self.event(&again)?;
        }
        let before = if steps.seconds < self.seconds {
            steps.seconds
        } else {
            self.seconds
        };
        let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(f64::NAN);
        for (i, loss) in steps.loss.iter().enumerate() {
            let still = (count - 1 - i) as f64 / count as f64 * (steps.seconds - before);
            let mut values = vec![
                ("loss/train", *loss),
                ("accuracy/train", at(&steps.accuracy, i)),
                ("learning_rate", at(&steps.lr, i)),
            ];
            if let Some(speed) = steps.images_per_s.filter(|_| i + 1 == count) {
                values.push(("images_per_second", speed));
            }
            self.values(moment - still, steps.first_step + i as u64, &values)?;
        }
        self.step = steps.last_step();
        self.seconds = steps.seconds;
        Ok(())
    }

    fn scalars(&mut self, scalars: &Scalars) -> io::Result<()> {
        let places = scalars.step.iter().zip(&scalars.seconds);
        for ((&step, &seconds), &value) in places.zip(&scalars.value) {
            self.values(self.origin + seconds, step, &[(&scalars.tag, value)])?;
        }
        Ok(())
    }

    /// Writes the values of one step.
    fn values(&mut self, wall_time: f64, step: u64, values: &[(&str, f64)]) -> io::Result<()> {
        let value = values.iter().map(|&(tag, value)| Value {
            tag: tag.to_owned(),
            simple_value: Some(value as f32),
            ..Value::default()
        });
        let summary = Some(Summary {
            value: value.collect(),
        });
        self.event(&Event {
            wall_time,
            step: step as i64,
            summary,
            ..Event::default()
        })
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.bytes.clear();
        // Encoding into a vector cannot run out of space.
        let _ = event.encode(&mut self.bytes);
        record::write(&mut self.out, &self.bytes)
    }
}

/// The settings for TensorBoard's Text page.
fn settings(about: &RunInfo) -> Value {
    let pretty = serde_json::to_string_pretty(&about.spec).unwrap_or_default();
    let text = format!("```json\n{pretty}\n```");
    Value {
        tag: "settings/text_summary".to_owned(),
        metadata: Some(shown_by("text", Vec::new())),
        tensor: Some(Tensor {
            dtype: Tensor::STRING,
            string_val: vec![text.into_bytes()],
            ..Tensor::default()
        }),
        ..Value::default()
    }
}

/// The settings for TensorBoard's HParams page.
fn session(about: &RunInfo, start_time_secs: f64) -> Value {
    let mut hparams = std::collections::BTreeMap::new();
    flatten(&about.spec, "", &mut hparams);
    hparams.remove("name");
    let start = SessionStart {
        hparams,
        group_name: about.id.to_string(),
        start_time_secs,
    };
    let data = HParamsData {
        version: 0,
        session_start_info: Some(start),
    };
    Value {
        tag: "_hparams_/session_start_info".to_owned(),
        metadata: Some(shown_by("hparams", data.encode_to_vec())),
        // The plugin requires a tensor, with any content.
        tensor: Some(Tensor::one(0.0)),
        ..Value::default()
    }
}

fn shown_by(plugin: &str, content: Vec<u8>) -> Metadata {
    let plugin_name = plugin.to_owned();
    Metadata {
        plugin_data: Some(PluginData {
            plugin_name,
            content,
        }),
    }
}

/// Collects settings by their paths, as the API names them.
fn flatten(value: &Json, path: &str, into: &mut std::collections::BTreeMap<String, Setting>) {
    let mut setting = Setting::default();
    match value {
        Json::Object(fields) => {
            for (name, inner) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                flatten(inner, &path, into);
            }
            return;
        }
        Json::Number(number) => setting.number = number.as_f64(),
        Json::Bool(switch) => setting.switch = Some(*switch),
        Json::String(text) => setting.text = Some(text.clone()),
        // A setting without a value has no column.
        Json::Null => return,
        Json::Array(_) => setting.text = Some(value.to_string()),
    }
    into.insert(path.to_owned(), setting);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensorboard::record::{Next, Records};
    use serde_json::json;

    fn events(lines: &[&str]) -> Vec<Event> {
        let spec = json!({"name": "a", "training": {"lr": 0.1, "x": null}, "on": true, "source": {"kind": "tensorboard"}});
        let about = RunInfo::of(RunId::next(), "a".into(), spec);
        let mut file = EventFile::begin(Vec::new(), &about).unwrap();
        for line in lines {
            file.line(line).unwrap();
        }
        let bytes = file.finish();
        let mut records = Records::of(&bytes[..]);
        let mut events = Vec::new();
        while let Next::Record(content) = records.next().unwrap() {
            events.push(Event::decode(content).unwrap());
        }
        events
    }

    fn values(event: &Event) -> Vec<(&str, f32)> {
        let summary = event.summary.as_ref().unwrap();
        summary
            .value
            .iter()
            .map(|value| (value.tag.as_str(), value.simple_value.unwrap()))
            .collect()
    }

    #[test]
    fn every_step_has_its_values_and_its_moment() {
        let events = events(&[
            r#"{"kind":"steps","seq":1,"time":"1970-01-01T00:00:10Z","first_step":1,"epoch":1,"samples_seen":4,"seconds":2,"loss":[0.5,null],"accuracy":[0.25,0.5],"lr":[0.1,0.1],"images_per_s":7,"not_finite":"inf"}"#,
            r#"{"kind":"epoch","seq":2,"time":"1970-01-01T00:00:11Z","epoch":1,"step":2,"train":{"loss":0.4,"accuracy":0.5},"validation":{"loss":0.3,"accuracy":0.75},"elapsed":2}"#,
            r#"{"kind":"test","seq":3,"time":"1970-01-01T00:00:12Z","loss":0.125,"accuracy":1}"#,
        ]);
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        assert_eq!((events[2].step, events[2].wall_time), (1, 9.0));
        assert_eq!(
            values(&events[2]),
            [
                ("loss/train", 0.5),
                ("accuracy/train", 0.25),
                ("learning_rate", 0.1)
            ]
        );
        assert_eq!((events[3].step, events[3].wall_time), (2, 10.0));
        assert_eq!(values(&events[3])[0], ("loss/train", f32::INFINITY));
        assert_eq!(values(&events[3])[3], ("images_per_second", 7.0));
        assert_eq!(
            values(&events[4])[3..],
            [("loss/validation", 0.3), ("accuracy/validation", 0.75)]
        );
        assert_eq!((events[5].step, events[5].wall_time), (2, 12.0));
        assert_eq!(values(&events[5])[1], ("accuracy/test", 1.0));
    }

    #[test]
    fn what_is_not_finite_goes_out_with_its_sign() {
        let events = events(&[
            r#"{"kind":"steps","seq":1,"time":"1970-01-01T00:00:10Z","first_step":1,"epoch":1,"samples_seen":4,"seconds":2,"loss":[null],"accuracy":[0.25],"lr":[0.1],"not_finite":"-inf"}"#,
            r#"{"kind":"epoch","seq":2,"time":"1970-01-01T00:00:11Z","epoch":1,"step":1,"train":{"loss":null,"accuracy":0.5,"not_finite":"inf"},"validation":{"loss":null,"accuracy":0.75,"not_finite":"-inf"},"elapsed":2,"not_finite":"inf"}"#,
            r#"{"kind":"test","seq":3,"time":"1970-01-01T00:00:12Z","loss":null,"accuracy":1,"not_finite":"-inf"}"#,
            r#"{"kind":"scalars","seq":4,"time":"1970-01-01T00:00:12Z","tag":"a","step":[1],"seconds":[0],"value":[null],"not_finite":"-inf"}"#,
        ]);
        let all: Vec<_> = events[2..].iter().flat_map(values).collect();
        for (tag, value) in [
            ("loss/train", f32::NEG_INFINITY),
            ("loss/train_epoch", f32::INFINITY),
            ("loss/validation", f32::NEG_INFINITY),
            ("loss/test", f32::NEG_INFINITY),
            ("a", f32::NEG_INFINITY),
        ] {
            assert!(all.contains(&(tag, value)), "{tag}: {all:?}");
        }
    }

    #[test]
    fn a_step_that_is_done_again_is_announced() {
        let line = |first: u64| {
            format!(
                r#"{{"kind":"steps","seq":1,"time":"1970-01-01T00:00:10Z","first_step":{first},"epoch":1,"samples_seen":4,"seconds":2,"loss":[0.5,0.4],"accuracy":[1,1],"lr":[1,1]}}"#
            )
        };
        let events = events(&[&line(1), &line(2)]);
        let again = events
            .iter()
            .position(|event| event.session_log.is_some())
            .unwrap();
        assert_eq!((again, events[again].step), (4, 2));
    }

    #[test]
    fn settings_are_by_their_paths() {
        let events = events(&[]);
        let values = &events[1].summary.as_ref().unwrap().value;
        let plugin = values[1]
            .metadata
            .as_ref()
            .unwrap()
            .plugin_data
            .as_ref()
            .unwrap();
        let data = HParamsData::decode(&plugin.content[..]).unwrap();
        let hparams = data.session_start_info.unwrap().hparams;
        assert_eq!(hparams.keys().collect::<Vec<_>>(), ["on", "training.lr"]);
        assert_eq!(hparams["training.lr"].number, Some(0.1));
    }
}
