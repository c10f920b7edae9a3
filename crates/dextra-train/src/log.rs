//! What a person did in a run, read back from its `events.jsonl`: edits, and steps driven by hand.
//!
//! Both are written with the step they were done at, so a run that is given the log does the same at the
//! same steps and ends with the same bits.

use std::{collections::HashMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    edit::{Edit, ScheduledEdit},
    error::TrainError,
    takeover::Takeover,
};

/// Steps driven by hand, and the round they belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledTakeover {
    /// Environment steps made when the round began.
    pub step: u64,
    /// What was done.
    pub takeover: Takeover,
}

/// What a person did in a run, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunLog {
    /// Changes of the configuration.
    pub edits: Vec<ScheduledEdit>,
    /// Steps driven by hand.
    pub takeovers: Vec<ScheduledTakeover>,
}

impl From<Vec<ScheduledEdit>> for RunLog {
    fn from(edits: Vec<ScheduledEdit>) -> Self {
        Self {
            edits,
            takeovers: Vec::new(),
        }
    }
}

/// A line of `events.jsonl`.
#[derive(Deserialize)]
struct Line {
    step: u64,
    event: String,
    #[serde(flatten)]
    details: HashMap<String, Value>,
}

impl RunLog {
    /// Reads the log of a run. What a resumed run did not keep (done after the checkpoint that it continued
    /// from) is left out.
    ///
    /// # Errors
    /// When the file cannot be read, a line is not an event, or the run was resumed with another
    /// configuration, which no log can repeat.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let text = fs::read_to_string(path).map_err(|error| TrainError::io("read", path, error))?;
        let bad = |line: usize, reason: String| TrainError::EventLog {
            path: path.to_owned(),
            line: line + 1,
            reason,
        };
        let mut log = Self::default();
        // How much of it each checkpoint has.
        let mut kept: HashMap<u64, (usize, usize)> = HashMap::new();
        // A line without an end was cut short by a crash.
        let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n'));
        for (number, text) in whole.enumerate() {
            let line: Line = serde_json::from_str(text)
                .map_err(|error| bad(number, format!("is not an event of a run: {error}")))?;
            match line.event.as_str() {
                "edit" => log.edits.push(edit(&line).ok_or_else(|| {
                    let reason = "is an edit without `key`, `new` and `before_evaluation`";
                    bad(number, reason.into())
                })?),
                "takeover" => log.takeovers.push(takeover(&line).map_err(|error| {
                    bad(
                        number,
                        format!("is no takeover that can be done again: {error}"),
                    )
                })?),
                "checkpoint" => {
                    kept.insert(line.step, (log.edits.len(), log.takeovers.len()));
                }
                "resume" => {
                    if let Some(&(edits, takeovers)) = kept.get(&line.step) {
                        log.edits.truncate(edits);
                        log.takeovers.truncate(takeovers);
                    }
                    if line.details.contains_key("config") {
                        let reason = "resumes the run with another configuration, which is no edit; \
                                      such a run cannot be repeated from its log";
                        return Err(bad(number, reason.into()));
                    }
                }
                _ => {}
            }
        }
        Ok(log)
    }

    /// What is done from a step on.
    pub(crate) fn after(mut self, step: u64) -> Self {
        self.edits.retain(|edit| edit.step >= step);
        self.takeovers.retain(|takeover| takeover.step >= step);
        self
    }
}

fn edit(line: &Line) -> Option<ScheduledEdit> {
    Some(ScheduledEdit {
        step: line.step,
        before_evaluation: line.details.get("before_evaluation")?.as_bool()?,
        edit: Edit {
            key: line.details.get("key")?.as_str()?.to_owned(),
            value: line.details.get("new")?.as_f64()?,
        },
    })
}

fn takeover(line: &Line) -> Result<ScheduledTakeover, serde_json::Error> {
    let details = line.details.clone().into_iter().collect();
    Ok(ScheduledTakeover {
        step: line.step,
        takeover: serde_json::from_value(Value::Object(details))?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_log_gives_what_the_run_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let edit = |step: u64, value: f64| {
            format!(
                "{{\"time\":1.0,\"step\":{step},\"event\":\"edit\",\"key\":\"learn.kl\",\"old\":0.75,\
                 \"new\":{value},\"before_evaluation\":false}}\n"
            )
        };
        let takeover = |step: u64, value: f32| {
            format!(
                "{{\"time\":1.0,\"step\":{step},\"event\":\"takeover\",\"actor\":1,\"first\":7,\
                 \"actions\":[[{value}]]}}\n"
            )
        };
        let event = |step: u64, name: &str| {
            format!("{{\"time\":1,\"step\":{step},\"event\":\"{name}\"}}\n")
        };
        let log = [
            event(0, "start"),
            edit(100, 0.5),
            takeover(150, 0.1),
            event(200, "checkpoint"),
            edit(200, 0.4),
            edit(300, 0.3),
            takeover(300, 0.7),
            event(200, "resume"),
            edit(400, 0.2),
            takeover(400, 0.9),
            "{\"time\":1,\"st".into(),
        ];
        fs::write(&path, log.concat()).unwrap();
        let log = RunLog::read(&path).unwrap();
        let edits = log.edits.iter().map(|e| (e.step, e.edit.value));
        assert_eq!(edits.collect::<Vec<_>>(), [(100, 0.5), (400, 0.2)]);
        let of = |t: &ScheduledTakeover| (t.step, t.takeover.first, t.takeover.actions[0][0]);
        let takeovers: Vec<_> = log.takeovers.iter().map(of).collect();
        assert_eq!(takeovers, [(150, 7, 0.1), (400, 7, 0.9)]);

        for (line, expected) in [
            ("nonsense\n".to_owned(), "not an event"),
            (event(1, "takeover"), "missing field `actor`"),
            (event(1, "edit"), "without `key`"),
        ] {
            fs::write(&path, format!("{}{line}", event(0, "start"))).unwrap();
            let error = RunLog::read(&path).unwrap_err().to_string();
            let named = error.contains("events.jsonl") && error.contains("line 2");
            assert!(named && error.contains(expected), "{error}");
        }
    }
}
