//! MuJoCo's soft constraints: contacts and limits (Computation chapter, "Constraint model").
//!
//! A violated constraint asks for the acceleration `aref = -b v - k d(r) r`, where `r` is the
//! distance to it less its margin, and pushes with `f = (aref - a) / R`, where `a` is the resulting
//! acceleration, `R = (1 - d) / d * A` and `A` the inverse inertia seen by the constraint.

use crate::model::SolverParams;

/// How far past its range a joint gets at all, rad or m: there it meets a hard stop, which MuJoCo
/// does not have (a hand rammed into a table bends its fingers back by a radian there).
const STOP: f64 = 0.08;
/// How far past its range a joint is left after a step, rad or m: a blow within the step can drive a
/// finger's light joint through the stop.
const END: f64 = 0.09;
/// The share of an excess over the stop which is taken back per step.
const STOP_RETURN: f64 = 0.2;
/// The impedance of the stop.
const STOP_IMPEDANCE: f64 = 0.9995;

/// The constants `k`, `b` and `d(r)` of a constraint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Law {
    stiffness: f64,
    /// `b`, 1/s.
    pub damping: f64,
    solimp: [f64; 5],
}

impl Law {
    /// The law of MuJoCo's `solref` and `solimp`.
    pub(crate) fn new(params: &SolverParams, timestep_secs: f64) -> Self {
        let mut solimp = params.solimp;
        for x in [0, 1, 3] {
            solimp[x] = solimp[x].clamp(1e-4, 1.0 - 1e-4);
        }
        solimp[4] = solimp[4].max(1.0);
        let dmax = solimp[1];
        let [a, b] = params.solref;
        let (stiffness, damping) = if a > 0.0 {
            // MuJoCo's `refsafe`: no faster than two steps.
            let timeconst = a.max(2.0 * timestep_secs);
            (
                1.0 / (dmax * timeconst * b).powi(2),
                2.0 / (dmax * timeconst),
            )
        } else {
            (-a / (dmax * dmax), -b / dmax)
        };
        Self {
            stiffness,
            damping,
            solimp,
        }
    }

    /// What is asked for at the distance `r < 0` and the speed `v` away from it.
    pub(crate) fn at(&self, r: f64, v: f64) -> Active {
        let impedance = self.impedance(-r);
        Active {
            pull: -self.stiffness * impedance * r,
            acceleration: -self.damping * v - self.stiffness * impedance * r,
            impedance,
        }
    }

    /// `d(r)`: a power curve from `dmin` at zero to `dmax` at `width`, bent at `midpoint`.
    fn impedance(&self, r: f64) -> f64 {
        let [dmin, dmax, width, midpoint, power] = self.solimp;
        let x = if width > 1e-15 {
            (r / width).min(1.0)
        } else {
            1.0
        };
        let y = if x <= midpoint {
            x.powf(power) / midpoint.powf(power - 1.0)
        } else {
            1.0 - (1.0 - x).powf(power) / (1.0 - midpoint).powf(power - 1.0)
        };
        dmin + y * (dmax - dmin)
    }
}

/// A constraint that acts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    /// The part of `acceleration` that comes from the distance.
    pub pull: f64,
    /// The acceleration asked for, away from the constraint.
    pub acceleration: f64,
    /// `d`, between 0 and 1.
    pub impedance: f64,
}

/// A limited quantity: a joint position or a tendon length.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    range: [f64; 2],
    margin: f64,
    law: Law,
    dt: f64,
    /// `A`, at the reference configuration.
    pub inverse_inertia: f64,
}

impl Limit {
    /// A limit with MuJoCo's parameters.
    pub(crate) fn new(
        range: [f64; 2],
        margin: f64,
        params: &SolverParams,
        inverse_inertia: f64,
        timestep_secs: f64,
    ) -> Self {
        Self {
            range,
            margin,
            law: Law::new(params, timestep_secs),
            dt: timestep_secs,
            inverse_inertia,
        }
    }

    /// What the hard stop beyond the lower (`side` = 1) or upper (-1) limit asks for, if a joint
    /// would reach it within a step.
    pub(crate) fn stop(&self, side: f64, position: f64, velocity: f64) -> Option<Active> {
        let bound = if side > 0.0 {
            self.range[0]
        } else {
            self.range[1]
        };
        let excess = -side * (position - bound) - STOP;
        let share = if excess > 0.0 { STOP_RETURN } else { 1.0 };
        let acceleration = (share * excess / self.dt - side * velocity) / self.dt;
        (excess > side * velocity * self.dt).then_some(Active {
            pull: 0.0,
            acceleration,
            impedance: STOP_IMPEDANCE,
        })
    }

    /// The end of its stop that a joint at `position` is past.
    pub(crate) fn end(&self, position: f64) -> Option<f64> {
        let within = position.clamp(self.range[0] - END, self.range[1] + END);
        (within != position).then_some(within)
    }

    /// What the lower (`side` = 1) or the upper (-1) limit asks for, if it acts.
    pub(crate) fn law(&self, side: f64, position: f64, velocity: f64) -> Option<Active> {
        let bound = if side > 0.0 {
            self.range[0]
        } else {
            self.range[1]
        };
        let r = side * (position - bound) - self.margin;
        (r < 0.0).then(|| self.law.at(r, side * velocity))
    }
}
