//! Reads the scalars of a run's event files, as TensorBoard would show them: files in their order, repeated steps once.
//! An empty, truncated or damaged part costs only itself and is named; all other records are read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufReader};

use prost::Message as _;
use serde_json::{Map, Value, json};

use super::event::{Event, HParamsData, SessionLog, Summary, Tensor};
use super::find::LogFile;
use super::record::{After, Damage, Next, Records};
use super::refused;
use crate::error::Result;
use vivarium_models::data::Fault;

/// The maximum number of values of a run, 24 bytes each while they are read.
const MOST_POINTS: usize = 10_000_000;

/// The maximum number of tags of a run.
const MOST_TAGS: usize = 10_000;

/// The maximum number of hyperparameters of a run, and of kinds of tags that are not scalars.
const MOST_NAMED: usize = 200;

/// The maximum length of a tag in bytes.
pub(super) const LONGEST_TAG: usize = 1024;

/// Damaged places per file that are named; further ones are counted.
const MOST_PLACES: usize = 10;

/// The largest step; JavaScript cannot distinguish larger ones.
const LAST_STEP: i64 = 1 << 53;

/// The end of the year 9999 in seconds since 1970; RFC 3339 ends there.
const LAST_MOMENT: f64 = 253_402_300_799.0;

/// A value of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its step.
    pub step: u64,
    /// Its time in seconds since 1970.
    pub wall_time: f64,
    /// The value.
    pub value: f64,
}

/// The contents of the files of a run.
#[derive(Debug, Default)]
pub struct Scalars {
    /// The points of each tag, by ascending step, each step once.
    pub tags: BTreeMap<String, Vec<Point>>,
    /// Hyperparameters.
    pub hparams: Map<String, Value>,
    /// Tags of other kinds, by kind.
    pub other: BTreeMap<String, BTreeSet<String>>,
    /// Remarks, each a sentence.
    pub remarks: Vec<String>,
    /// Unreadable files, and why.
    pub unread: Vec<Fault>,
}

impl Scalars {
    /// The number of values.
    pub fn count(&self) -> usize {
        self.tags.values().map(Vec::len).sum()
    }
}

/// Reads the files of a run as far as possible.
///
/// # Errors
/// When there are more values or tags than a run may have; the error names the file.
pub fn read(files: &[LogFile]) -> Result<Scalars> {
    let mut reader = Reader::default();
    for file in files {
        if let Some(message) = reader.file(file)? {
            let file = file.name.clone();
            reader.scalars.unread.push(Fault { file, message });
        }
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    scalars: Scalars,
    /// The plugin of each tag, from its first value.
    plugins: HashMap<String, String>,
    /// For each tag the number of values from files before the current one.
    before: HashMap<String, usize>,
    points: usize,
    /// Values at steps that cannot be shown.
    out_of_range: usize,
    /// Values whose tag is too long.
    nameless: usize,
    /// The last valid time.
    moment: f64,
}

impl Reader {
    /// Reads a file. Returns a message if nothing of it could be read.
    fn file(&mut self, file: &LogFile) -> Result<Option<String>> {
        let opened = match File::open(&file.path) {
            Ok(opened) => opened,
            Err(error) => return Ok(Some(unreadable(&error))),
        };
        let mut records = Records::of(BufReader::with_capacity(1 << 18, opened));
        self.before = self
            .scalars
            .tags
            .iter()
            .map(|(tag, points)| (tag.clone(), points.len()))
            .collect();
        // Whether it is certainly an event file.
        let mut known = false;
        let mut damage = Places::default();
        loop {
            let at = records.position();
            let (torn, next) = match records.next() {
                Ok(Next::End) if at == 0 => return Ok(Some(EMPTY.to_owned())),
                Ok(Next::End) => break,
                Ok(Next::Passed) => continue,
                Ok(Next::Record(content)) => {
                    let event = Event::decode(content).ok();
                    if !known {
                        known = event.as_ref().is_some_and(|event| is_known(event, at));
                        if !known {
                            return Ok(Some(NO_EVENT_FILE.to_owned()));
                        }
                    }
                    match event {
                        Some(event) => self.event(file, event)?,
                        None => damage.add(format!("the record at byte {at} is not an event")),
                    }
                    continue;
                }
                Ok(Next::Torn) => (true, records.resume()),
                Err(Damage::Io(error)) => (false, Err(error)),
                Err(_) => (false, records.resume()),
            };
            match next {
                Ok(After::Record(next)) => {
                    damage.add(format!("{} bytes from byte {at} on are left out", next - at));
                    continue;
                }
                Ok(After::Zeros(_)) if at == 0 => return Ok(Some(ONLY_ZEROS.to_owned())),
                Ok(_) if !known && at == 0 => return Ok(Some(NO_EVENT_FILE.to_owned())),
                Ok(After::Zeros(end)) => damage.add(format!(
                    "the last {} bytes, from byte {at} on, are zeros: the data never reached the disk",
                    end - at
                )),
                Ok(After::Nothing(_)) if torn => {
                    let name = &file.name;
                    let remark = format!(
                        "{name} ends within a record, at byte {at}: it was truncated there, or was still being written."
                    );
                    self.scalars.remarks.push(remark);
                }
                Ok(After::Nothing(end)) => damage.add(format!(
                    "the last {} bytes, from byte {at} on, are left out",
                    end - at
                )),
                Err(error) if !known => return Ok(Some(unreadable(&error))),
                Err(error) => damage.add(format!("from byte {at} on it {}", unreadable(&error))),
            }
            break;
        }
        self.scalars.remarks.extend(damage.told(&file.name));
        Ok(None)
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

    /// Training resumed at `step`: values of this and later steps are void.
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
                self.nameless += 1;
                continue;
            }
            let plugin_data = value.metadata.and_then(|metadata| metadata.plugin_data);
            if let Some(data) = plugin_data {
                if data.plugin_name == "hparams" {
                    self.hparams(&data.content);
                }
                // Beyond the limit the plugins do not matter.
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
        // A later file that goes back was written by a program that repeated these steps.
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
            // The last value of a step counts.
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
        for Fault { file, message } in &self.scalars.unread {
            remarks.push(format!("{file} {message}; it is left out."));
        }
        if self.nameless > 0 {
            remarks.push(format!(
                "{} values whose tags have more than {LONGEST_TAG} bytes are left out.",
                self.nameless
            ));
        }
        if repeated > 0 {
            remarks.push(format!(
                "{repeated} values repeat a tag and step; the last value of each counts."
            ));
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

const EMPTY: &str = "is empty: an event file has at least its first record";

const ONLY_ZEROS: &str = "holds nothing but zeros: the data never reached the disk";

const NO_EVENT_FILE: &str = "is not an event file of TensorBoard";

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

/// Whether the first readable record, at this offset, is of an event file. The very first one has the version; if that
/// is damaged, one with values suffices.
fn is_known(event: &Event, at: u64) -> bool {
    let version = event.file_version.as_deref();
    version.is_some_and(|version| version.starts_with("brain.Event:"))
        || (at > 0 && (event.summary.is_some() || event.session_log.is_some()))
}

/// The damaged places of a file.
#[derive(Default)]
struct Places {
    named: Vec<String>,
    more: usize,
}

impl Places {
    fn add(&mut self, place: String) {
        if self.named.len() < MOST_PLACES {
            self.named.push(place);
        } else {
            self.more += 1;
        }
    }

    fn told(self, file: &str) -> Option<String> {
        if self.named.is_empty() {
            return None;
        }
        let more = match self.more {
            0 => String::new(),
            more => format!("; and {more} more places"),
        };
        Some(format!(
            "{file} is damaged: {}{more}.",
            self.named.join("; ")
        ))
    }
}

fn shortened(text: &str) -> String {
    text.chars()
        .filter(|sign| !sign.is_control())
        .take(200)
        .collect()
}
