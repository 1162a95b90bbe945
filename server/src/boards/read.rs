//! The scalars of a run's event files, as TensorBoard would show them: files in their order, what
//! was done again counts once, and a last record that is torn is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::BufReader;

use prost::Message as _;
use serde_json::{Map, Value, json};

use super::event::{Event, HParamsData, SessionLog, Summary, Tensor};
use super::find::LogFile;
use super::record::{Damage, Next, Records};
use super::refused;
use crate::error::{Error, Result};

/// The most values of a run: 24 bytes each while they are read.
const MOST_POINTS: usize = 10_000_000;

/// The most tags of a run.
const MOST_TAGS: usize = 10_000;

/// The most settings of a run, and the most kinds of tags that are no scalars.
const MOST_NAMED: usize = 200;

/// The longest name of a tag, in bytes.
const LONGEST_TAG: usize = 1024;

/// The largest step; beyond it browsers could not tell steps apart.
const LAST_STEP: i64 = 1 << 53;

/// The end of the year 9999 in seconds since 1970; a later moment has no name.
const LAST_MOMENT: f64 = 253_402_300_799.0;

/// A value of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When, in steps.
    pub step: u64,
    /// When, in seconds since 1970.
    pub wall_time: f64,
    /// What.
    pub value: f64,
}

/// What the files of a run tell.
#[derive(Debug, Default)]
pub struct Scalars {
    /// By tag, with steps ascending, each once.
    pub tags: BTreeMap<String, Vec<Point>>,
    /// Settings.
    pub hparams: Map<String, Value>,
    /// Tags of other kinds, by kind.
    pub other: BTreeMap<String, BTreeSet<String>>,
    /// What is to be known, each a sentence.
    pub remarks: Vec<String>,
}

impl Scalars {
    /// How many values there are.
    pub fn count(&self) -> usize {
        self.tags.values().map(Vec::len).sum()
    }
}

/// Reads the files of a run.
///
/// # Errors
/// A file that is damaged, or no event file, is named, with the place. Files without one scalar are
/// no error here.
pub fn read(files: &[LogFile]) -> Result<Scalars> {
    let mut reader = Reader::default();
    for file in files {
        reader.file(file)?;
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    scalars: Scalars,
    /// Of each tag: the plugin that shows it, as its first value said.
    plugins: HashMap<String, String>,
    /// Of each tag: how many of its values are from files before the one at hand.
    before: HashMap<String, usize>,
    points: usize,
    /// Values at steps that cannot be shown.
    out_of_range: usize,
    /// The last moment that made sense.
    moment: f64,
}

impl Reader {
    fn file(&mut self, file: &LogFile) -> Result<()> {
        let name = &file.name;
        let opened = File::open(&file.path).map_err(|e| Error::file(&file.path, e))?;
        let mut records = Records::of(BufReader::with_capacity(1 << 18, opened));
        self.before = self
            .scalars
            .tags
            .iter()
            .map(|(tag, points)| (tag.clone(), points.len()))
            .collect();
        let mut first = true;
        loop {
            let at = records.position();
            let next = records.next().map_err(|damage| match damage {
                Damage::Io(error) => Error::file(&file.path, error),
                Damage::Length(0) => refused(name, NO_EVENT_FILE),
                other => refused(name, other.to_string()),
            })?;
            match next {
                Next::End if first => {
                    return Err(refused(
                        name,
                        "is empty: an event file has at least its first record",
                    ));
                }
                Next::End => return Ok(()),
                Next::Torn if first => return Err(refused(name, NO_EVENT_FILE)),
                Next::Torn => {
                    let remark = format!(
                        "{name} ends within a record, at byte {at}: it was cut off there, or was still written."
                    );
                    self.scalars.remarks.push(remark);
                    return Ok(());
                }
                Next::Passed => {}
                Next::Record(content) => {
                    let event = Event::decode(content).map_err(|_| {
                        let damage = format!("is damaged: the record at byte {at} is no event");
                        refused(name, if first { NO_EVENT_FILE } else { &damage })
                    })?;
                    if first
                        && !event
                            .file_version
                            .as_deref()
                            .is_some_and(|version| version.starts_with("brain.Event:"))
                    {
                        return Err(refused(name, NO_EVENT_FILE));
                    }
                    self.event(file, event)?;
                }
            }
            first = false;
        }
    }

    fn event(&mut self, file: &LogFile, event: Event) -> Result<()> {
        if event.wall_time > 0.0 && event.wall_time < LAST_MOMENT {
            self.moment = event.wall_time;
        }
        if event
            .session_log
            .is_some_and(|log| log.status == SessionLog::START)
        {
            self.start_again(&file.prefix, event.step);
        }
        match event.summary {
            Some(summary) => self.summary(file, event.step, summary),
            None => Ok(()),
        }
    }

    /// Training was taken up again at `step`: what was written for it and later steps is void.
    fn start_again(&mut self, prefix: &str, step: i64) {
        let step = u64::try_from(step).unwrap_or(0);
        for (tag, points) in &mut self.scalars.tags {
            if tag.starts_with(prefix) {
                points.retain(|point| point.step < step);
                self.before.insert(tag.clone(), points.len());
            }
        }
    }

    fn summary(&mut self, file: &LogFile, step: i64, summary: Summary) -> Result<()> {
        for value in summary.value {
            let tag = format!("{}{}", file.prefix, value.tag);
            if tag.len() > LONGEST_TAG {
                return Err(refused(
                    &file.name,
                    format!(
                        "has a tag of {} bytes; at most {LONGEST_TAG} can be",
                        tag.len()
                    ),
                ));
            }
            let plugin_data = value.metadata.and_then(|metadata| metadata.plugin_data);
            if let Some(data) = plugin_data {
                if data.plugin_name == "hparams" {
                    self.hparams(&data.content);
                }
                // Of more than can be kept nobody needs to know.
                if self.plugins.len() < 2 * MOST_TAGS {
                    self.plugins.insert(tag.clone(), data.plugin_name);
                }
            }
            let plugin = self.plugins.get(&tag).map_or("", String::as_str);
            let number = match (&value.simple_value, &value.tensor) {
                (Some(number), _) => Some(f64::from(*number)),
                (None, Some(tensor)) if matches!(plugin, "" | "scalars") => tensor.scalar(),
                _ => None,
            };
            if let Some(number) = number {
                self.point(file, tag, step, number)?;
                continue;
            }
            let kind = match (plugin, &value.tensor) {
                ("hparams", _) => continue,
                ("", Some(tensor)) if tensor.dtype == Tensor::STRING => "text",
                ("", Some(_)) => "tensors",
                ("", None) if value.image.is_some() => "images",
                ("", None) if value.histo.is_some() => "histograms",
                ("", None) if value.audio.is_some() => "audio",
                ("", None) => "empty",
                (plugin, _) => plugin,
            };
            // Short enough to be shown.
            let kind: String = kind
                .chars()
                .filter(|sign| !sign.is_control())
                .take(40)
                .collect();
            let kinds = &mut self.scalars.other;
            if kinds.len() == MOST_NAMED && !kinds.contains_key(&kind) {
                continue;
            }
            let tags = kinds.entry(kind).or_default();
            if tags.len() < MOST_TAGS {
                tags.insert(tag);
            }
        }
        Ok(())
    }

    fn point(&mut self, file: &LogFile, tag: String, step: i64, value: f64) -> Result<()> {
        let Some(step) = u64::try_from(step).ok().filter(|_| step < LAST_STEP) else {
            self.out_of_range += 1;
            return Ok(());
        };
        self.points += 1;
        if self.points > MOST_POINTS {
            return Err(refused(
                &file.name,
                format!("has more values than the {MOST_POINTS} that a run may have"),
            ));
        }
        let tags = &mut self.scalars.tags;
        if tags.len() == MOST_TAGS && !tags.contains_key(&tag) {
            return Err(refused(
                &file.name,
                format!("has more tags than the {MOST_TAGS} that a run may have"),
            ));
        }
        // A later file that goes back was written by a program that did these steps again.
        let before = self.before.get(&tag).copied().unwrap_or(0);
        let points = tags.entry(tag.clone()).or_default();
        if points.len() == before && points.last().is_some_and(|last| last.step >= step) {
            points.retain(|point| point.step < step);
            self.before.insert(tag, points.len());
        }
        points.push(Point {
            step,
            wall_time: self.moment,
            value,
        });
        Ok(())
    }

    fn hparams(&mut self, content: &[u8]) {
        let Some(start) = HParamsData::decode(content)
            .ok()
            .and_then(|data| data.session_start_info)
        else {
            return;
        };
        for (name, setting) in start.hparams {
            let value = match (setting.number, setting.text, setting.switch) {
                (Some(number), ..) if number.fract() == 0.0 && number.abs() < 9e15 => {
                    json!(number as i64)
                }
                (Some(number), ..) => json!(number),
                (_, Some(text), _) => json!(shortened(&text)),
                (.., Some(switch)) => json!(switch),
                _ => Value::Null,
            };
            if self.scalars.hparams.len() < MOST_NAMED && !name.is_empty() {
                self.scalars.hparams.insert(shortened(&name), value);
            }
        }
    }

    fn finish(mut self) -> Scalars {
        let mut repeated = 0;
        for points in self.scalars.tags.values_mut() {
            let before = points.len();
            // What was written last for a step counts.
            points.sort_by_key(|point| point.step);
            let mut kept: Vec<Point> = Vec::with_capacity(before);
            for &point in points.iter() {
                match kept.last_mut() {
                    Some(last) if last.step == point.step => *last = point,
                    _ => kept.push(point),
                }
            }
            repeated += before - kept.len();
            *points = kept;
        }
        self.scalars.tags.retain(|_, points| !points.is_empty());
        let remarks = &mut self.scalars.remarks;
        if repeated > 0 {
            remarks.push(format!("{repeated} values stand beside others of the same tag and step; the last of each counts."));
        }
        if self.out_of_range > 0 {
            remarks.push(format!(
                "{} values at negative or far too large steps are left out.",
                self.out_of_range
            ));
        }
        self.scalars
    }
}

const NO_EVENT_FILE: &str = "is no event file of TensorBoard";

fn shortened(text: &str) -> String {
    text.chars()
        .filter(|sign| !sign.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::event::{Metadata, PluginData, Value as Scalar};
    use crate::boards::record;

    fn version() -> Event {
        Event {
            file_version: Some("brain.Event:2".into()),
            ..Event::default()
        }
    }

    fn scalar(tag: &str, step: i64, value: f32) -> Event {
        let value = Scalar {
            tag: tag.into(),
            simple_value: Some(value),
            ..Scalar::default()
        };
        Event {
            wall_time: 10.0 + step as f64,
            step,
            summary: Some(Summary { value: vec![value] }),
            ..Event::default()
        }
    }

    /// Reads files, each with what goes before its tags and its events.
    fn read_events(files: &[(&str, Vec<Event>)]) -> Result<Scalars> {
        let folder = tempfile::tempdir().unwrap();
        let written = files.iter().enumerate().map(|(number, (prefix, events))| {
            let path = folder.path().join(number.to_string());
            let mut bytes = Vec::new();
            for event in std::iter::once(&version()).chain(events) {
                record::write(&mut bytes, &event.encode_to_vec()).unwrap();
            }
            std::fs::write(&path, bytes).unwrap();
            LogFile {
                path,
                name: number.to_string(),
                prefix: (*prefix).to_owned(),
            }
        });
        read(&written.collect::<Vec<_>>())
    }

    fn steps(scalars: &Scalars, tag: &str) -> Vec<(u64, f64)> {
        let points = scalars.tags[tag].iter();
        points.map(|point| (point.step, point.value)).collect()
    }

    #[test]
    fn a_later_file_that_goes_back_replaces_what_it_has_again_and_no_other_tag() {
        let first = vec![
            scalar("a", 1, 1.0),
            scalar("a", 5, 5.0),
            scalar("b", 5, 5.0),
        ];
        let second = vec![scalar("a", 3, 30.0), scalar("c", 1, 1.0)];
        let scalars = read_events(&[("", first), ("", second)]).unwrap();
        assert_eq!(steps(&scalars, "a"), [(1, 1.0), (3, 30.0)]);
        assert_eq!(steps(&scalars, "b"), [(5, 5.0)]);
        assert!(scalars.remarks.is_empty());
    }

    #[test]
    fn within_a_file_steps_are_put_in_order_and_the_last_of_each_counts() {
        let file = vec![
            scalar("a", 5, 1.0),
            scalar("a", 3, 2.0),
            scalar("a", 5, 3.0),
        ];
        let scalars = read_events(&[("", file)]).unwrap();
        assert_eq!(steps(&scalars, "a"), [(3, 2.0), (5, 3.0)]);
        assert_eq!(scalars.remarks.len(), 1);
    }

    #[test]
    fn the_parts_of_a_run_keep_their_tags_apart() {
        let part = |value| vec![scalar("loss", 1, value)];
        let scalars = read_events(&[("train/", part(1.0)), ("validation/", part(2.0))]).unwrap();
        assert_eq!(steps(&scalars, "train/loss"), [(1, 1.0)]);
        assert_eq!(steps(&scalars, "validation/loss"), [(1, 2.0)]);
    }

    #[test]
    fn moments_that_make_no_sense_are_those_before() {
        let at = |wall_time, step| Event {
            wall_time,
            ..scalar("a", step, 1.0)
        };
        let odd = [f64::NAN, f64::INFINITY, -1.0, 1e300, 0.0];
        let events = std::iter::once(at(7.0, 0))
            .chain(odd.into_iter().zip(1..).map(|(time, step)| at(time, step)));
        let scalars = read_events(&[("", events.collect())]).unwrap();
        assert!(scalars.tags["a"].iter().all(|point| point.wall_time == 7.0));
    }

    #[test]
    fn steps_that_cannot_be_are_left_out_and_told() {
        let file = vec![
            scalar("a", -1, 1.0),
            scalar("a", i64::MAX, 1.0),
            scalar("a", 0, 1.0),
        ];
        let scalars = read_events(&[("", file)]).unwrap();
        assert_eq!(steps(&scalars, "a"), [(0, 1.0)]);
        assert!(
            scalars.remarks[0].starts_with("2 values"),
            "{:?}",
            scalars.remarks
        );
    }

    #[test]
    fn a_tensor_is_a_scalar_where_its_tag_is_one() {
        let of = |plugin: &str, tag: &str| {
            let plugin_data = PluginData {
                plugin_name: plugin.into(),
                content: Vec::new(),
            };
            let value = Scalar {
                tag: tag.into(),
                metadata: (!plugin.is_empty()).then_some(Metadata {
                    plugin_data: Some(plugin_data),
                }),
                tensor: Some(Tensor::one(0.5)),
                ..Scalar::default()
            };
            Event {
                step: 1,
                summary: Some(Summary { value: vec![value] }),
                ..Event::default()
            }
        };
        let scalars = read_events(&[(
            "",
            vec![of("scalars", "a"), of("", "b"), of("pr_curves", "c")],
        )])
        .unwrap();
        assert_eq!(scalars.tags.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(scalars.other["pr_curves"].len(), 1);
    }
}
