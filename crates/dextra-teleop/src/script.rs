//! Device events written down: a line per event, `SECONDS press W`, `SECONDS release W` or
//! `SECONDS axis Wheel 1`; lines that begin with `#` are comments. The seconds are the person's, from the
//! begin of the countdown.

use std::{fmt::Write as _, fs, path::Path};

use crate::{
    error::TeleopError,
    input::{Axis, Button, Input},
    recorder::{Notice, Recorder},
    session::{Phase, Session},
};

/// An event is due up to so much early: scripts round their seconds.
const ROUNDING_SECS: f64 = 1e-4;

/// Events in the order of their time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    events: Vec<(f64, Input)>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// When the file is missing, or a line is not understood.
    pub fn read(path: &Path) -> Result<Self, TeleopError> {
        let text = fs::read_to_string(path).map_err(|source| TeleopError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|(line, reason)| TeleopError::Script {
            path: path.to_owned(),
            line,
            reason,
        })
    }

    /// Understands a script, or tells the line (from 1) and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut script = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let event = parse_line(line).map_err(|reason| (index + 1, reason))?;
            if script
                .events
                .last()
                .is_some_and(|(last, _)| *last > event.0)
            {
                return Err((index + 1, "is earlier than the line before it".into()));
            }
            script.events.push(event);
        }
        Ok(script)
    }

    /// Adds an event at the end.
    pub fn push(&mut self, secs: f64, input: Input) {
        self.events.push((secs, input));
    }

    /// The events: seconds, and what happens then.
    pub fn events(&self) -> &[(f64, Input)] {
        &self.events
    }

    /// As [`Script::parse`] reads it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (secs, input) in &self.events {
            let _ = writeln!(text, "{secs:.4} {input}");
        }
        text
    }

    /// Plays it in a session, until the take ends.
    ///
    /// # Errors
    /// When the environment cannot go back.
    pub fn play(&self, session: &mut Session) -> Result<(), TeleopError> {
        let (mut secs, mut events) = (0.0, self.events.iter().peekable());
        while !matches!(session.phase(), Phase::Ended(_)) {
            while let Some((_, input)) = events.next_if(|(at, _)| *at <= secs + ROUNDING_SECS) {
                session.input(input);
            }
            // Nothing moves, and nobody will change that.
            if matches!(session.phase(), Phase::Paused) && events.peek().is_none() {
                break;
            }
            secs += session.tick_secs();
            session.tick()?;
        }
        Ok(())
    }

    /// Plays it to a recorder, until its last event has passed and the take that it made, if any, is over.
    /// What the recorder said.
    ///
    /// # Errors
    /// When a take cannot be kept.
    pub fn record(&self, recorder: &mut Recorder) -> Result<Vec<Notice>, TeleopError> {
        let (mut secs, mut events) = (0.0, self.events.iter().peekable());
        let mut notices = Vec::new();
        loop {
            while let Some((_, input)) = events.next_if(|(at, _)| *at <= secs + ROUNDING_SECS) {
                notices.extend(recorder.input(input)?);
            }
            let rests = matches!(recorder.session().phase(), Phase::Paused | Phase::Ended(_));
            if events.peek().is_none() && (rests || !notices.is_empty()) {
                return Ok(notices);
            }
            secs += recorder.session().tick_secs();
            notices.extend(recorder.tick()?);
        }
    }
}

fn parse_line(line: &str) -> Result<(f64, Input), String> {
    let mut words = line.split_whitespace();
    let secs = words.next().and_then(|word| word.parse::<f64>().ok());
    let Some(secs) = secs.filter(|secs| secs.is_finite() && *secs >= 0.0) else {
        return Err("does not begin with seconds, as in `1.5 press W`".into());
    };
    let (what, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let value = words.next();
    let button = || {
        let unknown = || format!("there is no button `{name}`");
        match value {
            None => Button::named(name).ok_or_else(unknown),
            Some(extra) => Err(format!("`{extra}` is too much")),
        }
    };
    let input = match what {
        "press" => Input::Press(button()?),
        "release" => Input::Release(button()?),
        "axis" => {
            let axis = Axis::named(name).ok_or_else(|| format!("there is no axis `{name}`"))?;
            let value = value.and_then(|word| word.parse::<f64>().ok());
            let value = value.filter(|value| value.is_finite() && words.next().is_none());
            Input::Axis(
                axis,
                value.ok_or("an axis needs one number, as in `axis Wheel 1`")?,
            )
        }
        _ => return Err("says neither `press`, `release` nor `axis` after the seconds".into()),
    };
    Ok((secs, input))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut script = Script::default();
        script.push(0.25, Input::Press(Button::named("W").unwrap()));
        script.push(1.5, Input::Axis(Axis::named("PadLeftX").unwrap(), -0.75));
        script.push(2.0, Input::Release(Button::named("W").unwrap()));
        assert_eq!(Script::parse(&script.text()), Ok(script));
    }

    #[test]
    fn wrong_lines_are_named() {
        for (text, line, expected) in [
            ("# fine\nW press", 2, "seconds"),
            ("-1 press W", 1, "seconds"),
            ("nan press W", 1, "seconds"),
            ("1 push W", 1, "neither"),
            ("1 press Wheel", 1, "no button `Wheel`"),
            ("1 press W W", 1, "too much"),
            ("1 axis Wheel", 1, "one number"),
            ("1 axis Wheel inf", 1, "one number"),
            ("1 axis W 1", 1, "no axis `W`"),
            ("2 press W\n1 release W", 2, "earlier"),
        ] {
            let (found, reason) = Script::parse(text).unwrap_err();
            assert_eq!(found, line, "{text}");
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }
}
