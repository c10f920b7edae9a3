//! The hand of a task as a driver finds it: joints by name become indices.

use std::{path::Path, sync::Arc};

use dextra_sim::Model;
use dextra_tasks::{PalmTracker, TaskModel, Tracking, scenes_dir};

use crate::{
    config::{File, Posture, Preset, SynergyFile, TaskConfig, TeleopConfig},
    error::TeleopError,
};

/// The fingers, thumb first, by what the names of their joints begin with.
const FINGERS: [&str; 5] = ["TH", "FF", "MF", "RF", "LF"];

/// All that driving a task's hand needs and that does not change.
#[derive(Debug)]
pub struct Rig {
    /// The numbers.
    pub config: TeleopConfig,
    pub(crate) task: Arc<TaskModel>,
    pub(crate) task_config: TaskConfig,
    pub(crate) tracker: PalmTracker,
    palm: usize,
    /// Range of the joint of each actuator.
    pub(crate) ranges: Vec<[f64; 2]>,
    /// Per synergy, an angle per actuator.
    pub(crate) synergies: Vec<Vec<f64>>,
    /// Per preset, an angle per actuator.
    pub(crate) presets: Vec<Vec<f64>>,
    /// Per finger, the actuators that bend it, from the root.
    pub(crate) flexors: Vec<Vec<usize>>,
    /// Per finger, the actuator that spreads it.
    pub(crate) spreaders: Vec<Option<usize>>,
}

impl Rig {
    /// The rig of a task, from the files in [`scenes_dir`].
    ///
    /// # Errors
    /// When a file is missing or wrong, or does not say how to drive that task.
    pub fn load(task: &Arc<TaskModel>) -> Result<Arc<Self>, TeleopError> {
        Self::read(task, &scenes_dir()?)
    }

    /// As [`Rig::load`], from the files in a folder.
    ///
    /// # Errors
    /// As [`Rig::load`].
    pub fn read(task: &Arc<TaskModel>, folder: &Path) -> Result<Arc<Self>, TeleopError> {
        let config = TeleopConfig::read(folder)?;
        let synergies = SynergyFile::read(folder)?;
        let file = File(folder.join("teleop.toml"));
        let model = task.model();
        let known: Vec<_> = config.tasks.keys().cloned().collect();
        let missing = || TeleopError::Value {
            path: file.0.clone(),
            key: "tasks".into(),
            value: format!("{known:?}"),
            allowed: format!("a list with `{}` in it", task.name()),
        };
        let task_config = config.tasks.get(task.name()).cloned().ok_or_else(missing)?;
        let (palm, tracker) = tracker(model, &task_config, &file, task.name())?;
        let arm = tracker.joints().to_vec();
        let range = |&joint: &usize| {
            let joint = &model.joints[joint];
            joint.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY])
        };
        let ranges = tracker.actuated().iter().map(range).collect();
        let name_of = |actuator: usize| &model.joints[tracker.actuated()[actuator]].name;
        // Joints of the hand are those that are not the arm's.
        let hand: Vec<usize> = (0..model.nu)
            .filter(|&actuator| !arm.contains(&tracker.actuated()[actuator]))
            .collect();
        let angles = |posture: &Posture, key: &str, file: &File| {
            let mut angles = vec![0.0; model.nu];
            for (joint, &angle) in posture {
                let actuator = hand.iter().copied().find(|&a| name_of(a) == joint);
                let allowed = "an angle of a joint of the hand that has an actuator";
                file.require(
                    &format!("{key}.{joint}"),
                    angle,
                    actuator.is_some(),
                    allowed,
                )?;
                angles[actuator.unwrap_or_default()] = angle;
            }
            Ok(angles)
        };
        let preset =
            |preset: &Preset| angles(&preset.posture, &format!("presets.{}", preset.name), &file);
        let presets = config.presets.iter().map(preset);
        let presets: Vec<_> = presets.collect::<Result<_, TeleopError>>()?;
        file.require(
            "presets",
            presets.len(),
            !presets.is_empty(),
            "at least one",
        )?;
        let from = File(folder.join("synergies.toml"));
        let synergies = synergies.synergies.iter().map(|synergy| {
            angles(
                &synergy.deviation,
                &format!("synergies.{}", synergy.name),
                &from,
            )
        });
        let synergies = synergies.collect::<Result<_, TeleopError>>()?;
        // Of a finger, joints 2 to 0 bend it and 3 spreads it; of the thumb, 3 to 0 bend and 4 opposes.
        let actuator = |finger: &str, joint: usize| {
            let name = format!("{finger}J{joint}");
            hand.iter().copied().find(|&a| *name_of(a) == name)
        };
        let spreading = |finger: &str| if finger == "TH" { 4 } else { 3 };
        let flexors = |finger: &&str| {
            let joints = (0..spreading(finger)).rev();
            joints.filter_map(|joint| actuator(finger, joint)).collect()
        };
        let spreader = |finger: &&str| actuator(finger, spreading(finger));
        Ok(Arc::new(Self {
            flexors: FINGERS.iter().map(flexors).collect(),
            spreaders: FINGERS.iter().map(spreader).collect(),
            task: Arc::clone(task),
            config,
            task_config,
            ranges,
            synergies,
            presets,
            palm,
            tracker,
        }))
    }

    /// The task.
    pub fn task(&self) -> &Arc<TaskModel> {
        &self.task
    }

    /// The site that is led.
    pub fn palm_site(&self) -> usize {
        self.palm
    }

    /// Names of the presets, in the order of their keys.
    pub fn preset_names(&self) -> impl Iterator<Item = &str> {
        self.config
            .presets
            .iter()
            .map(|preset| preset.name.as_str())
    }
}

fn tracker(
    model: &Model,
    config: &TaskConfig,
    file: &File,
    task: &str,
) -> Result<(usize, PalmTracker), TeleopError> {
    let key = |name: &str| format!("tasks.{task}.{name}");
    let palm = model.site(&config.palm).ok();
    let allowed = "the name of a site of the scene";
    file.require(&key("palm"), &config.palm, palm.is_some(), allowed)?;
    let tracking = Tracking {
        gain: config.gain,
        damping_m: config.damping_m,
    };
    let palm = palm.unwrap_or_default();
    let mut tracker = PalmTracker::new(model, palm, tracking)?;
    for (name, &secs) in &config.anticipation_secs {
        let joint = model.joint(name).ok();
        let good = joint.is_some_and(|joint| tracker.anticipate(joint, secs));
        let allowed = "that of a joint between the world and the palm";
        file.require(
            &key(&format!("anticipation_secs.{name}")),
            secs,
            good,
            allowed,
        )?;
    }
    Ok((palm, tracker))
}
