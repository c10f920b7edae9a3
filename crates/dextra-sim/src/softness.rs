//! How contacts yield: MuJoCo's law, put to the engine as a distance.
//!
//! The engine solves `A (1 + c) f dt = -(v + a dt + e)` for the normal force `f`, where `v` is the
//! speed at which the bodies part, `a` their acceleration without the contact, `A` the inverse
//! inertia, and `e` an error taken from the distance: divided by the timestep while apart, times a
//! rate while they overlap. MuJoCo (see [`crate::limit`]) solves `A f / d = aref - a`, that is
//! `A f dt / d = -(v + a dt + (b dt - 1) v + k d r dt)`. So with `1 + c = 1 / d` and the distance
//! that makes `e` the last two terms the engine does what MuJoCo does: a contact yields, and springs
//! back, with its `solref` and `solimp`. The engine's one `c` stands for the usual `d`; elsewhere
//! the stiffness is scaled to give the same depth at rest. Friction asks for `-b v`, too.
//!
//! MuJoCo's default friction cone is a pyramid, whose edges are springs that lean by the angle of
//! friction. That stiffens a contact the more its friction carries, and makes one that slips climb.

use rapier3d::prelude as rp;

use crate::{limit::Law, model::SolverParams};

/// The impedance that the engine's `c` stands for: MuJoCo's default `dmax`.
const IMPEDANCE: f64 = 0.95;
/// The share of an overlap that the engine's error takes per step.
const ERROR_REDUCTION: f64 = 0.5;
/// Friction never counts as carrying more than this share of what it can, or stiffness has no end.
const FULL_LOAD: f64 = 0.9;

/// The engine's spring with that `c` and error reduction, for steps of `dt` seconds.
pub(crate) fn spring(dt: f64) -> rp::SpringCoefficients<f32> {
    // With x = w dt and y = x + 2 zeta: x / y is the error reduction and 1 / (x y) is c.
    let c = 1.0 / IMPEDANCE - 1.0;
    let x = (ERROR_REDUCTION / c).sqrt();
    let y = x / ERROR_REDUCTION;
    rp::SpringCoefficients {
        natural_frequency: (x / (std::f64::consts::TAU * dt)) as f32,
        damping_ratio: (0.5 * (y - x)) as f32,
    }
}

/// How the contacts of a pair of geoms yield.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ContactLaw {
    law: Law,
    dt: f64,
    /// Edges of the friction pyramid; zero for a cone, and without friction.
    edges: f64,
}

/// A contact point at the start of a step.
pub(crate) struct Touch {
    /// Distance less the margin, negative, metres.
    pub distance: f64,
    /// The speed at which the bodies part, m/s.
    pub speed: f64,
    /// The speed at which they slide, m/s.
    pub slip: f64,
    /// Sliding friction.
    pub mu: f64,
    /// The share of friction's most that it carried over the last step.
    pub load: f64,
}

impl ContactLaw {
    /// The law of a pair's solver parameters, with a friction pyramid or a cone.
    pub(crate) fn new(params: &SolverParams, condim: u32, pyramid: bool, dt: f64) -> Self {
        Self {
            law: Law::new(params, dt),
            dt,
            edges: if pyramid {
                2.0 * f64::from(condim - 1)
            } else {
                0.0
            },
        }
    }

    /// The distance to tell the engine.
    pub(crate) fn distance(&self, touch: &Touch) -> f64 {
        let active = self.law.at(touch.distance, touch.speed);
        let scale = (1.0 / IMPEDANCE - 1.0) / (1.0 / active.impedance - 1.0);
        let damping = active.acceleration - active.pull;
        let mut wanted = self.stiffening(touch) * scale * active.pull + damping;
        if self.edges > 0.0 {
            // The edge that leans against a slip alone, when that asks for more.
            let mu = touch.mu;
            let leaning = (wanted + mu * self.law.damping * touch.slip) / (1.0 + mu * mu);
            wanted = wanted.max(leaning);
        }
        let error = -touch.speed - wanted * self.dt;
        if error > 0.0 {
            error * self.dt
        } else {
            error * self.dt / ERROR_REDUCTION
        }
    }

    /// By how much a pyramid stiffens the contact.
    ///
    /// Each edge `n + mu t` (`n - mu t`) is a unilateral spring with `2 mu^2 (1 + mu^2)` times the
    /// compliance of the whole. All carry alike until friction takes more than one of them can, and
    /// then the one opposite leaves: with the share `l` of friction's most the others carry
    /// `1 - l`, which leaves `N (1 - l) = (edges - 2) s` for an edge's force `s`.
    fn stiffening(&self, touch: &Touch) -> f64 {
        let (mu, edges) = (touch.mu, self.edges);
        if edges == 0.0 || mu == 0.0 {
            return 1.0;
        }
        let carried = edges.max((edges - 2.0) / (1.0 - touch.load.min(FULL_LOAD)));
        carried / (2.0 * mu * mu * (1.0 + mu * mu))
    }

    /// The share of a slip that friction leaves after a step, when it is strong enough.
    pub(crate) fn kept(&self) -> f64 {
        1.0 - self.law.damping * self.dt
    }
}
