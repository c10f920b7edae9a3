//! From device events to actions: what is held and pressed moves the wrist target and the fingers,
//! once per control step.

use std::sync::Arc;

use dextra_sim::Pose;
use dextra_tasks::{Env, Waypoint, difference, displaced};

use crate::{
    bindings::{self, Along, Command, On},
    hand::Hand,
    input::{Axis, Button, Input},
    rig::Rig,
};

/// What a driver has led the hand to. Restored, driving goes on from there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriveState {
    /// Positions of the arm's joints that the wrist target stands for.
    arm: Vec<f64>,
    hand: Hand,
}

/// A control step's worth of driving.
#[derive(Clone, Debug, PartialEq)]
pub struct Driven {
    /// The action, in [-1, 1].
    pub action: Vec<f32>,
    /// Whether the driver changed anything.
    pub busy: bool,
    /// Whether an assist had a part in it.
    pub assisted: bool,
}

/// A hand's driver. It holds what the devices said and what came of it.
#[derive(Clone)]
pub struct Driver {
    rig: Arc<Rig>,
    state: DriveState,
    pressed: Vec<Button>,
    /// Where sticks and triggers are.
    axes: Vec<(Axis, f64)>,
    /// How far mouse and wheel moved since the last step.
    moved: Vec<(Axis, f64)>,
    /// The world's directions to the right and up on the mouse's plane.
    drag_axes: [[f64; 3]; 2],
    single_fingers: bool,
    finger: usize,
    magnet: bool,
    mirror: bool,
    held_still: bool,
}

/// How much of a command is asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Pull {
    /// Held, in [0, 1].
    held: f64,
    /// Notches or pixels.
    moved: f64,
}

impl Driver {
    /// A driver of the hand as it is in an environment.
    pub fn new(rig: &Arc<Rig>, env: &Env) -> Self {
        let mut driver = Self::idle(rig);
        driver.restart(env);
        driver
    }

    /// A driver that has not been told where the hand is.
    pub(crate) fn idle(rig: &Arc<Rig>) -> Self {
        Self {
            state: DriveState {
                arm: vec![0.0; rig.tracker.joints().len()],
                hand: Hand::new(rig),
            },
            rig: Arc::clone(rig),
            pressed: Vec::new(),
            axes: Vec::new(),
            moved: Vec::new(),
            drag_axes: [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
            single_fingers: false,
            finger: 0,
            magnet: false,
            mirror: false,
            held_still: false,
        }
    }

    /// Begins anew with the hand as it is in an environment. What is held stays held.
    pub fn restart(&mut self, env: &Env) {
        self.state = DriveState {
            arm: self.rig.tracker.positions(env.sim()),
            hand: Hand::new(&self.rig),
        };
    }

    /// Takes the hand as somebody else has led it: the wrist where it is, the fingers as they have been
    /// told by the newest of the actions, or as they stand where there are none. What is held stays held.
    pub fn take(&mut self, env: &Env, actions: &[&[f32]]) {
        self.state = DriveState {
            arm: self.rig.tracker.positions(env.sim()),
            hand: Hand::at(&self.rig, told_angles(&self.rig, env, actions)),
        };
    }

    /// Where the wrist target will be if what is held now stays held for so long of the person's time.
    /// Nothing changes: a control step may be long, and who drives wants to see at once what a key does.
    pub fn foreseen(&self, env: &Env, dt_secs: f64) -> Pose {
        let mut ahead = self.clone();
        ahead.move_wrist(env, &[], dt_secs);
        ahead.keep_on_leash(env);
        ahead.target()
    }

    pub(crate) fn state(&self) -> &DriveState {
        &self.state
    }

    pub(crate) fn set_state(&mut self, state: &DriveState) {
        self.state.clone_from(state);
    }

    /// The wrist target in the world; it is always within the arm's reach.
    pub fn target(&self) -> Pose {
        self.rig.tracker.palm(&self.state.arm)
    }

    /// Deviations of each synergy, on top of the preset.
    pub fn amounts(&self) -> &[f64] {
        self.state.hand.amounts()
    }

    /// The preset that the hand is on its way to.
    pub fn towards(&self) -> Option<usize> {
        self.state.hand.towards()
    }

    /// Whether single fingers are driven, and which.
    pub fn finger(&self) -> Option<usize> {
        self.single_fingers.then_some(self.finger)
    }

    /// Whether waypoints attract the wrist target.
    pub fn magnet(&self) -> bool {
        self.magnet
    }

    /// Whether left and right are mirrored.
    pub fn mirror(&self) -> bool {
        self.mirror
    }

    /// The plane in which the mouse moves the wrist target: the world's directions to its right and up.
    pub fn set_drag_axes(&mut self, axes: [[f64; 3]; 2]) {
        self.drag_axes = axes;
    }

    /// Whether a command's button is down, or its stick out.
    pub fn holds(&self, command: Command) -> bool {
        self.pull(command).held > 0.0
    }

    /// Lets go of everything: the devices went away.
    pub fn release_all(&mut self) {
        self.pressed.clear();
        self.axes.clear();
        self.moved.clear();
    }

    /// Takes in an event. The command of a button that just went down is returned when it is not the
    /// driver's to carry out.
    pub fn input(&mut self, input: &Input) -> Option<Command> {
        match *input {
            Input::Release(button) => {
                self.pressed.retain(|held| *held != button);
                None
            }
            Input::Axis(axis, value) => {
                if value.is_finite() {
                    self.take_in(axis, value);
                }
                None
            }
            Input::Press(button) => {
                if self.pressed.contains(&button) {
                    return None;
                }
                self.pressed.push(button);
                let command = bindings::command_of(button, self.single_fingers)?;
                self.carry_out(command)
            }
        }
    }

    fn take_in(&mut self, axis: Axis, value: f64) {
        let list = if axis.is_relative() {
            &mut self.moved
        } else {
            &mut self.axes
        };
        match list.iter_mut().find(|(known, _)| *known == axis) {
            Some((_, sum)) if axis.is_relative() => *sum += value,
            Some((_, at)) => *at = value,
            None => list.push((axis, value)),
        }
    }

    fn carry_out(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Preset(preset) => self.state.hand.go_to(&self.rig, preset),
            Command::ToggleFingers => self.single_fingers = !self.single_fingers,
            Command::Finger(finger) => self.finger = finger,
            Command::NextFinger => self.finger = (self.finger + 1) % self.rig.flexors.len(),
            Command::ToggleMagnet => self.magnet = !self.magnet,
            Command::ToggleMirror => self.mirror = !self.mirror,
            other => return Some(other),
        }
        None
    }

    /// The action of a control step that takes the person `dt_secs`. `waypoints` are those of the task.
    pub fn step(&mut self, env: &Env, waypoints: &[Waypoint], dt_secs: f64) -> Driven {
        let before = self.state.clone();
        let assisted = self.move_wrist(env, waypoints, dt_secs);
        self.move_fingers(dt_secs);
        self.moved.clear();
        let busy = self.state != before;
        self.keep_on_leash(env);
        let posture = self.state.hand.posture(&self.rig);
        let (task, sim) = (&self.rig.task, env.sim());
        Driven {
            action: self
                .rig
                .tracker
                .action(task, sim, &self.state.arm, &posture),
            busy,
            assisted,
        }
    }

    /// Whether an assist had a part in it.
    fn move_wrist(&mut self, env: &Env, waypoints: &[Waypoint], dt_secs: f64) -> bool {
        let still = self.holds(Command::HoldStill);
        if still && !self.held_still {
            self.state.arm = self.rig.tracker.positions(env.sim());
        }
        self.held_still = still;
        if still {
            return true;
        }
        let rates = &self.rig.config.rates;
        let both_ways = |command: fn(Along) -> Command| {
            [0, 1, 2].map(|axis| {
                let held = |plus| self.pull(command(Along { axis, plus })).held;
                (held(true) - held(false)) * dt_secs
            })
        };
        let mut by_m = both_ways(Command::Move).map(|secs| secs * rates.translation_m_per_s);
        let mut by_rad = both_ways(Command::Turn).map(|secs| secs * rates.rotation_rad_per_s);
        if self.mirror {
            by_m[0] = -by_m[0];
            by_rad[1] = -by_rad[1];
            by_rad[2] = -by_rad[2];
        }
        if self.holds(Command::Grab) {
            for (drag, axis) in self.drag_axes.iter().enumerate() {
                let way_m = self.pull(Command::Drag(drag)).moved * rates.mouse_m_per_pixel;
                by_m = [0, 1, 2].map(|k| by_m[k] + axis[k] * way_m);
            }
        }
        if [by_m, by_rad] != [[0.0; 3]; 2] {
            self.lead([by_m, by_rad]);
        }
        self.magnet && self.attract(waypoints, dt_secs)
    }

    /// Displaces the wrist target as far as the arm can follow.
    fn lead(&mut self, by: [[f64; 3]; 2]) {
        let pose = displaced(&self.target(), by);
        let weight_m = self.rig.task_config.rotation_weight_m;
        self.state.arm = self.rig.tracker.solve(&self.state.arm, &pose, weight_m);
    }

    /// Draws the wrist target to the nearest waypoint, if one is near.
    fn attract(&mut self, waypoints: &[Waypoint], dt_secs: f64) -> bool {
        let assist = self.rig.config.assist;
        let target = self.target();
        let away = |waypoint: &Waypoint| difference(&waypoint.palm, &target);
        let nearest = waypoints
            .iter()
            .map(|waypoint| (length(away(waypoint)[0]), away(waypoint)))
            .filter(|(distance_m, _)| *distance_m < assist.magnet_radius_m)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, way)) = nearest else {
            return false;
        };
        let share = (assist.magnet_per_s * dt_secs).min(1.0);
        self.lead(way.map(|part| part.map(|v| v * share)));
        true
    }

    /// Draws the wrist target back to where the palm can be expected to follow.
    fn keep_on_leash(&mut self, env: &Env) {
        let present = self.rig.tracker.positions(env.sim());
        let [ahead_m, ahead_rad] = difference(&self.target(), &self.rig.tracker.palm(&present));
        let task = &self.rig.task_config;
        let excess = (length(ahead_m) / task.leash_m).max(length(ahead_rad) / task.leash_rad);
        if excess > 1.0 {
            for (wanted, present) in self.state.arm.iter_mut().zip(present) {
                *wanted = present + (*wanted - present) / excess;
            }
        }
    }

    fn move_fingers(&mut self, dt_secs: f64) {
        let rates = self.rig.config.rates;
        let hand = &self.state.hand;
        let mut hand = hand.clone();
        hand.approach(&self.rig, dt_secs);
        let both_ways = |command: &dyn Fn(bool) -> Command, per_s: f64, per_notch: f64| {
            let by = |pull: Pull| pull.held * per_s * dt_secs + pull.moved * per_notch;
            by(self.pull(command(true))) - by(self.pull(command(false)))
        };
        let mut squeezed = vec![0.0; self.rig.synergies.len()];
        for (synergy, squeezed) in squeezed.iter_mut().enumerate() {
            let command = |plus| Command::Synergy(synergy, plus);
            let by = both_ways(&command, rates.synergy_per_s, rates.synergy_per_notch);
            hand.add(synergy, by);
            let pulled = self.pull(Command::Squeeze(synergy)).held;
            *squeezed = pulled * rates.synergy_of_trigger;
        }
        let by_rad = both_ways(
            &Command::Flex,
            rates.finger_rad_per_s,
            rates.finger_rad_per_notch,
        );
        if by_rad != 0.0 {
            hand.flex(&self.rig, self.finger, by_rad);
        }
        let by_rad = both_ways(&Command::Spread, rates.finger_rad_per_s, 0.0);
        if by_rad != 0.0 {
            hand.spread(&self.rig, self.finger, by_rad);
        }
        let curled = self.pull(Command::Curl).held * rates.finger_rad_of_trigger;
        hand.pull(&self.rig, &squeezed, self.finger, curled);
        self.state.hand = hand;
    }

    /// How much of a command the devices ask for.
    fn pull(&self, command: Command) -> Pull {
        let rows = bindings::active(self.single_fingers);
        let on = rows
            .filter(|row| row.command == command)
            .flat_map(|row| row.on);
        on.fold(Pull::default(), |pull, on| {
            let held = match on {
                On::Button(name) => f64::from(u8::from(
                    self.pressed.iter().any(|held| held.name() == *name),
                )),
                _ => self
                    .along(&self.axes, on)
                    .map_or(0.0, |at| self.response(at)),
            };
            let moved = self.along(&self.moved, on).unwrap_or(0.0);
            // The mouse goes both ways on one row, the wheel on a row for each.
            let moved = match command {
                Command::Drag(_) => moved,
                _ => moved.max(0.0),
            };
            Pull {
                held: pull.held.max(held),
                moved: pull.moved + moved,
            }
        })
    }

    fn along(&self, axes: &[(Axis, f64)], on: &On) -> Option<f64> {
        axes.iter()
            .find_map(|(axis, at)| bindings::sign_of(on, *axis).map(|sign| sign * at))
    }

    /// The response of a stick or trigger, in [0, 1].
    fn response(&self, at: f64) -> f64 {
        let sticks = &self.rig.config.sticks;
        let beyond = (at - sticks.dead_zone) / (1.0 - sticks.dead_zone);
        beyond.clamp(0.0, 1.0).powf(sticks.exponent)
    }
}

/// The angle of each actuator's joint that actions have commanded, on average: a policy's noise goes, a grip
/// stays. Without actions, the angle that it has.
fn told_angles(rig: &Rig, env: &Env, actions: &[&[f32]]) -> Vec<f64> {
    let sim = env.sim();
    let told = |(actuator, &joint): (usize, &usize)| {
        if actions.is_empty() {
            return sim.qpos()[sim.model().joints[joint].qpos_adr];
        }
        let sum: f64 = actions.iter().map(|a| f64::from(a[actuator])).sum();
        let (middle, half) = rig.task.action_scale(actuator);
        let ctrl = middle + half * sum / actions.len() as f64;
        // Where the servo's force, gain ctrl + bias0 + bias1 position, is nothing.
        let servo = &sim.model().actuators[actuator];
        -(servo.gain * ctrl + servo.bias[0]) / servo.bias[1]
    };
    rig.tracker
        .actuated()
        .iter()
        .enumerate()
        .map(told)
        .collect()
}

fn length(v: [f64; 3]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}
