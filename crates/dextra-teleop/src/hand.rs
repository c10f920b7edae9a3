//! What the fingers are told: a preset, synergies on top of it, and single fingers on top of those.

use crate::rig::Rig;

/// Deviations beyond which a synergy does not go: no joint would follow.
const MAX_AMOUNT: f64 = 8.0;

/// The commanded posture of a hand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hand {
    /// Angle of each actuator that presets have led to.
    base: Vec<f64>,
    /// Deviations of each synergy.
    amounts: Vec<f64>,
    /// Per actuator, what single fingers add (rad).
    offsets: Vec<f64>,
    /// The preset on the way, and the seconds left.
    towards: Option<(usize, f64)>,
    /// What triggers add at the moment, per actuator (rad).
    pulled: Vec<f64>,
}

impl Hand {
    pub fn new(rig: &Rig) -> Self {
        let zeros = vec![0.0; rig.ranges.len()];
        Self {
            base: rig.presets[0].clone(),
            amounts: vec![0.0; rig.synergies.len()],
            offsets: zeros.clone(),
            towards: None,
            pulled: zeros,
        }
    }

    /// A hand that stays where it is: with these angles, one per actuator (rad), for its preset.
    pub fn at(rig: &Rig, angles_rad: Vec<f64>) -> Self {
        Self {
            base: angles_rad,
            ..Self::new(rig)
        }
    }

    /// The angle of each actuator (rad), within the joints' ranges.
    pub fn posture(&self, rig: &Rig) -> Vec<f64> {
        let angle = |actuator: usize| {
            let amounts = self.amounts.iter().zip(&rig.synergies);
            let together: f64 = amounts
                .map(|(amount, synergy)| amount * synergy[actuator])
                .sum();
            let [low, high] = rig.ranges[actuator];
            let sum =
                self.base[actuator] + together + self.offsets[actuator] + self.pulled[actuator];
            sum.max(low).min(high)
        };
        (0..rig.ranges.len()).map(angle).collect()
    }

    /// Deviations of each synergy, on top of the preset.
    pub fn amounts(&self) -> &[f64] {
        &self.amounts
    }

    /// The preset that it is on its way to.
    pub fn towards(&self) -> Option<usize> {
        self.towards.map(|(preset, _)| preset)
    }

    /// Sets out for a preset. A number that no preset has does nothing.
    pub fn go_to(&mut self, rig: &Rig, preset: usize) {
        if preset < rig.presets.len() {
            self.pulled.fill(0.0);
            self.base = self.posture(rig);
            self.amounts.fill(0.0);
            self.offsets.fill(0.0);
            self.towards = Some((preset, rig.config.rates.preset_secs));
        }
    }

    /// Goes on towards the preset, if one is on the way.
    pub fn approach(&mut self, rig: &Rig, dt_secs: f64) {
        let Some((preset, left)) = self.towards else {
            return;
        };
        let share = (dt_secs / left).min(1.0);
        for (base, wanted) in self.base.iter_mut().zip(&rig.presets[preset]) {
            *base += share * (wanted - *base);
        }
        self.towards = Some((preset, left - dt_secs)).filter(|(_, left)| *left > 1e-9);
    }

    /// Adds deviations to a synergy.
    pub fn add(&mut self, synergy: usize, by: f64) {
        if let Some(amount) = self.amounts.get_mut(synergy) {
            *amount = (*amount + by).clamp(-MAX_AMOUNT, MAX_AMOUNT);
        }
    }

    /// Bends a finger by an angle at each of its joints that bend.
    pub fn flex(&mut self, rig: &Rig, finger: usize, by_rad: f64) {
        for (actuator, sign) in bending(rig, finger) {
            self.turn(rig, actuator, sign * by_rad);
        }
    }

    /// Spreads a finger by an angle.
    pub fn spread(&mut self, rig: &Rig, finger: usize, by_rad: f64) {
        if let Some(actuator) = rig.spreaders[finger] {
            self.turn(rig, actuator, by_rad);
        }
    }

    /// Turns a joint, no further than its range, so that the way back begins at once.
    fn turn(&mut self, rig: &Rig, actuator: usize, by_rad: f64) {
        let before = self.posture(rig)[actuator];
        let [low, high] = rig.ranges[actuator];
        let after = (before + by_rad).max(low).min(high);
        self.offsets[actuator] += after - before;
    }

    /// Sets what triggers add: deviations of synergies, and the bend of a finger.
    pub fn pull(&mut self, rig: &Rig, synergies: &[f64], finger: usize, by_rad: f64) {
        self.pulled.fill(0.0);
        for (amount, synergy) in synergies.iter().zip(&rig.synergies) {
            for (pulled, angle) in self.pulled.iter_mut().zip(synergy) {
                *pulled += amount * angle;
            }
        }
        for (actuator, sign) in bending(rig, finger) {
            self.pulled[actuator] += sign * by_rad;
        }
    }
}

/// The joints that bend a finger and which way: that in which their range is wider. A joint whose range
/// has no wider side is left alone.
fn bending(rig: &Rig, finger: usize) -> impl Iterator<Item = (usize, f64)> {
    rig.flexors[finger].iter().filter_map(|&actuator| {
        let [low, high] = rig.ranges[actuator];
        match high + low {
            side if side > 1e-6 => Some((actuator, 1.0)),
            side if side < -1e-6 => Some((actuator, -1.0)),
            _ => None,
        }
    })
}
