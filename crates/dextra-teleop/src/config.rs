//! The numbers of driving: `scenes/teleop.toml`, and what is computed from data beside it in
//! `scenes/synergies.toml`.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::TeleopError;

/// Angles of the hand's joints (rad) by name; those that are not named are zero.
pub type Posture = BTreeMap<String, f64>;

/// `teleop.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeleopConfig {
    /// How fast things move.
    pub rates: Rates,
    /// How sticks and triggers are read.
    pub sticks: Sticks,
    /// Speeds, countdown, rewinding.
    pub time: Time,
    /// Help that is marked in the data.
    pub assist: Assist,
    /// Per task, how its arm is led.
    pub tasks: BTreeMap<String, TaskConfig>,
    /// The named presets, in the order of their keys.
    pub presets: Vec<Preset>,
}

/// How fast things move. A second is one of the person's: at half the speed the simulation does half
/// as much in it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// The wrist target, metres per second.
    pub translation_m_per_s: f64,
    /// The wrist target, radians per second.
    pub rotation_rad_per_s: f64,
    /// A synergy, deviations of its data per second.
    pub synergy_per_s: f64,
    /// A synergy, deviations per notch of the wheel.
    pub synergy_per_notch: f64,
    /// A synergy at a trigger that is fully pulled, deviations.
    pub synergy_of_trigger: f64,
    /// A single finger, radians per second.
    pub finger_rad_per_s: f64,
    /// A single finger, radians per notch of the wheel.
    pub finger_rad_per_notch: f64,
    /// A single finger at a trigger that is fully pulled, radians.
    pub finger_rad_of_trigger: f64,
    /// Seconds on the way to a preset.
    pub preset_secs: f64,
    /// The wrist target, metres per pixel of the mouse.
    pub mouse_m_per_pixel: f64,
}

/// How sticks and triggers are read.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sticks {
    /// Below this share of its way an axis rests.
    pub dead_zone: f64,
    /// Exponent of the response beyond the dead zone: above 1, fine near the middle.
    pub exponent: f64,
}

/// Speeds, countdown, rewinding.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// Simulated seconds per second, the fastest first.
    pub speeds: Vec<f64>,
    /// Seconds before a take begins.
    pub countdown_secs: f64,
    /// Simulated seconds run back per second of rewinding.
    pub rewind_speed: f64,
    /// Simulated seconds after which a take ends by itself.
    pub limit_secs: f64,
}

/// Help that is marked in the data.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assist {
    /// A waypoint attracts the wrist target from within this distance.
    pub magnet_radius_m: f64,
    /// Share of the way to the waypoint per second.
    pub magnet_per_s: f64,
}

/// How the arm of a task is led.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// The site that is led.
    pub palm: String,
    /// The speed at which a take begins, one of `time.speeds`.
    pub speed: f64,
    /// How far ahead of the arm its position targets run.
    pub gain: f64,
    /// Damping of the inverse kinematics, metres.
    pub damping_m: f64,
    /// What a radian of the wrist target weighs against a metre where the arm cannot have both.
    pub rotation_weight_m: f64,
    /// How far ahead of the palm the wrist target may run.
    pub leash_m: f64,
    /// How far the wrist target may be turned from the palm.
    pub leash_rad: f64,
    /// Joints that are led as if they were already where they will be this much later.
    #[serde(default)]
    pub anticipation_secs: BTreeMap<String, f64>,
}

/// A named posture of the hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// The angles.
    pub posture: Posture,
}

/// `synergies.toml`: directions in which postures of recorded data vary together.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SynergyFile {
    /// The directions, in the order of their keys.
    pub synergies: Vec<Synergy>,
}

/// A direction in which joints move together.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Synergy {
    /// What it does.
    pub name: String,
    /// Share of the variance of its joints in the data that it explains.
    pub explains: f64,
    /// Angles (rad) of one deviation of the data along it.
    pub deviation: Posture,
}

impl TeleopConfig {
    /// Reads `teleop.toml` of a folder and checks every number that can be checked without a scene.
    ///
    /// # Errors
    /// When the file is missing or wrong.
    pub fn read(folder: &Path) -> Result<Self, TeleopError> {
        let path = folder.join("teleop.toml");
        let config: Self = read_toml(&path)?;
        config.check(&File(path))?;
        Ok(config)
    }

    fn check(&self, file: &File) -> Result<(), TeleopError> {
        let Rates {
            translation_m_per_s,
            rotation_rad_per_s,
            synergy_per_s,
            synergy_per_notch,
            synergy_of_trigger,
            finger_rad_per_s,
            finger_rad_per_notch,
            finger_rad_of_trigger,
            preset_secs,
            mouse_m_per_pixel,
        } = self.rates;
        for (key, value) in [
            ("rates.translation_m_per_s", translation_m_per_s),
            ("rates.rotation_rad_per_s", rotation_rad_per_s),
            ("rates.synergy_per_s", synergy_per_s),
            ("rates.synergy_per_notch", synergy_per_notch),
            ("rates.synergy_of_trigger", synergy_of_trigger),
            ("rates.finger_rad_per_s", finger_rad_per_s),
            ("rates.finger_rad_per_notch", finger_rad_per_notch),
            ("rates.finger_rad_of_trigger", finger_rad_of_trigger),
            ("rates.preset_secs", preset_secs),
            ("rates.mouse_m_per_pixel", mouse_m_per_pixel),
            ("sticks.exponent", self.sticks.exponent),
            ("time.rewind_speed", self.time.rewind_speed),
            ("time.limit_secs", self.time.limit_secs),
        ] {
            file.positive(key, value)?;
        }
        for (key, value) in [
            ("time.countdown_secs", self.time.countdown_secs),
            ("assist.magnet_radius_m", self.assist.magnet_radius_m),
            ("assist.magnet_per_s", self.assist.magnet_per_s),
        ] {
            file.not_negative(key, value)?;
        }
        let zone = self.sticks.dead_zone;
        let good = (0.0..1.0).contains(&zone);
        file.require("sticks.dead_zone", zone, good, "at least 0 and below 1")?;
        let speeds = &self.time.speeds;
        let falling = speeds.windows(2).all(|pair| pair[0] > pair[1]);
        let good = !speeds.is_empty() && falling && speeds.iter().all(|s| *s > 0.0 && *s <= 4.0);
        let allowed = "falling numbers above 0 and up to 4";
        file.require("time.speeds", speeds, good, allowed)?;
        for (task, config) in &self.tasks {
            let key = |name: &str| format!("tasks.{task}.{name}");
            for (name, value) in [
                ("gain", config.gain),
                ("damping_m", config.damping_m),
                ("rotation_weight_m", config.rotation_weight_m),
                ("leash_m", config.leash_m),
                ("leash_rad", config.leash_rad),
            ] {
                file.positive(&key(name), value)?;
            }
            let known = speeds.contains(&config.speed);
            file.require(&key("speed"), config.speed, known, "one of `time.speeds`")?;
            for (joint, secs) in &config.anticipation_secs {
                file.not_negative(&key(&format!("anticipation_secs.{joint}")), *secs)?;
            }
        }
        for preset in &self.presets {
            for (joint, angle) in &preset.posture {
                let key = format!("presets.{}.{joint}", preset.name);
                file.require(&key, angle, angle.is_finite(), "a finite angle")?;
            }
        }
        Ok(())
    }
}

impl SynergyFile {
    /// Reads `synergies.toml` of a folder.
    ///
    /// # Errors
    /// When the file is missing or wrong.
    pub fn read(folder: &Path) -> Result<Self, TeleopError> {
        let path = folder.join("synergies.toml");
        let synergies: Self = read_toml(&path)?;
        let file = File(path);
        for synergy in &synergies.synergies {
            for (joint, angle) in &synergy.deviation {
                let key = format!("synergies.{}.{joint}", synergy.name);
                file.require(&key, angle, angle.is_finite(), "a finite angle")?;
            }
        }
        Ok(synergies)
    }
}

fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, TeleopError> {
    let text = fs::read_to_string(path).map_err(|source| TeleopError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| TeleopError::Parse {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// A file whose values are checked.
pub(crate) struct File(pub PathBuf);

impl File {
    /// An error that names file, key and what is allowed, unless `good`.
    pub fn require(
        &self,
        key: &str,
        value: impl Debug,
        good: bool,
        allowed: &str,
    ) -> Result<(), TeleopError> {
        match good {
            true => Ok(()),
            false => Err(TeleopError::Value {
                path: self.0.clone(),
                key: key.to_owned(),
                value: format!("{value:?}"),
                allowed: allowed.to_owned(),
            }),
        }
    }

    fn positive(&self, key: &str, value: f64) -> Result<(), TeleopError> {
        let good = value.is_finite() && value > 0.0;
        self.require(key, value, good, "a finite number above 0")
    }

    fn not_negative(&self, key: &str, value: f64) -> Result<(), TeleopError> {
        let good = value.is_finite() && value >= 0.0;
        self.require(key, value, good, "a finite number of at least 0")
    }
}
