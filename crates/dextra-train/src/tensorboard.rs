//! TensorBoard event files: length-prefixed, checksummed protobuf records.
//!
//! The format is TensorFlow's record format: `length u64`, masked CRC-32C of the length, the bytes,
//! masked CRC-32C of the bytes, all little-endian. A reader can follow the file while it grows.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use prost::Message;

use crate::error::TrainError;

/// A record (`tensorflow.Event`), as far as scalars need it.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// Environment steps.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// `brain.Event:2` in a file's first record.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    /// The scalars.
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
    /// Marks a restart: readers drop what came after this step before.
    #[prost(message, optional, tag = "7")]
    pub session_log: Option<SessionLog>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The values of one step.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<SummaryValue>,
}

/// `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryValue {
    /// Name of the curve.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// Its value.
    #[prost(float, tag = "2")]
    pub simple_value: f32,
}

/// `tensorflow.SessionLog`; status 1 is a start.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// What happened.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// An event file that is being written.
pub(crate) struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventWriter {
    /// Starts a file in `folder` for a run that stands at `step`.
    pub fn create(folder: &Path, step: u64) -> Result<Self, TrainError> {
        let seconds = wall_time();
        let process = std::process::id();
        let host = host_name();
        let (path, file) = (0..)
            .map(|n| {
                folder.join(format!(
                    "events.out.tfevents.{seconds:.0}.{host}.{process}.{n}"
                ))
            })
            .find(|path| !path.exists())
            .map(|path| {
                (
                    path.clone(),
                    OpenOptions::new().create_new(true).write(true).open(path),
                )
            })
            .ok_or(TrainError::Stopped("event file's name"))?;
        let file = file.map_err(|error| TrainError::io("create", &path, error))?;
        let mut writer = Self {
            path,
            file: BufWriter::new(file),
        };
        writer.append(&Event {
            wall_time: seconds,
            file_version: Some("brain.Event:2".into()),
            ..Event::default()
        })?;
        if step > 0 {
            writer.append(&Event {
                wall_time: seconds,
                step: step as i64,
                session_log: Some(SessionLog { status: 1 }),
                ..Event::default()
            })?;
        }
        Ok(writer)
    }

    /// Appends the scalars of one step and hands them to the system.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<(), TrainError> {
        let value = values
            .iter()
            .map(|&(tag, value)| SummaryValue {
                tag: tag.into(),
                simple_value: value as f32,
            })
            .collect();
        self.append(&Event {
            wall_time: wall_time(),
            step: step as i64,
            summary: Some(Summary { value }),
            ..Event::default()
        })
    }

    fn append(&mut self, event: &Event) -> Result<(), TrainError> {
        let bytes = event.encode_to_vec();
        let length = (bytes.len() as u64).to_le_bytes();
        let mut record = Vec::with_capacity(bytes.len() + 16);
        record.extend_from_slice(&length);
        record.extend_from_slice(&masked_crc(&length).to_le_bytes());
        record.extend_from_slice(&bytes);
        record.extend_from_slice(&masked_crc(&bytes).to_le_bytes());
        self.file
            .write_all(&record)
            .and_then(|()| self.file.flush())
            .map_err(|error| TrainError::io("write", &self.path, error))
    }
}

/// Reads an event file's records; a file that is still being written ends at its last whole record.
///
/// # Errors
/// When the file cannot be read or a record's checksum does not fit.
pub fn read_events(path: &Path) -> Result<Vec<Event>, TrainError> {
    let bytes = std::fs::read(path).map_err(|error| TrainError::io("read", path, error))?;
    let damaged = |what: &str| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
        TrainError::io("read", path, source)
    };
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let mut events = Vec::new();
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 8) {
        let Some(crc) = word(at + 8) else { break };
        if crc != masked_crc(length) {
            return Err(damaged("a record's length does not match its checksum"));
        }
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
        let start = at + 12;
        let Some(body) = bytes.get(start..start.saturating_add(length)) else {
            break;
        };
        let Some(crc) = word(start + length) else {
            break;
        };
        if crc != masked_crc(body) {
            return Err(damaged("a record does not match its checksum"));
        }
        events.push(Event::decode(body).map_err(|error| damaged(&error.to_string()))?);
        at = start + length + 4;
    }
    Ok(events)
}

/// TensorFlow's masked CRC-32C: rotated and shifted so that checksums of checksums stay useful.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

fn wall_time() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    if name.is_empty() {
        "localhost".into()
    } else {
        name
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_tensorflows() {
        // CRC-32C's check value for "123456789" is e3069283; masked as TensorFlow's crc32c.h does.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        let rotated = 0xe306_9283_u32.rotate_right(15);
        assert_eq!(masked_crc(b"123456789"), rotated.wrapping_add(0xa282_ead8));
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 7).unwrap();
        writer
            .scalars(
                10,
                &[("losses/critic", 0.5), ("charts/steps_per_sec", 100.0)],
            )
            .unwrap();
        let events = read_events(&writer.path).unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        assert_eq!(
            (events[1].step, events[1].session_log.clone()),
            (7, Some(SessionLog { status: 1 }))
        );
        let values = &events[2].summary.as_ref().unwrap().value;
        assert_eq!((events[2].step, values.len()), (10, 2));
        assert_eq!(
            (values[0].tag.as_str(), values[0].simple_value),
            ("losses/critic", 0.5)
        );

        // Half a record at the end is one that is still being written.
        let bytes = std::fs::read(&writer.path).unwrap();
        std::fs::write(&writer.path, &bytes[..bytes.len() - 3]).unwrap();
        assert_eq!(read_events(&writer.path).unwrap().len(), 2);
        let mut damaged = bytes.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        std::fs::write(&writer.path, &damaged).unwrap();
        assert!(read_events(&writer.path).is_err());
    }
}
