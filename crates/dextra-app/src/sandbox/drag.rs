//! The spring between the mouse and a body, as in MuJoCo's viewer: critically damped, and as strong as
//! the body is heavy, so that everything follows the mouse alike.

use dextra_sim::{Pose, Push, Sim};

/// Force per displacement and mass, 1/s^2 (MuJoCo's `visual/map/stiffness`).
const STIFFNESS: f64 = 100.0;

/// What the mouse pulls at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drag {
    /// The body.
    pub body: usize,
    /// The point that was taken hold of, in the body's frame.
    pub point: [f64; 3],
    /// Where it should go.
    pub goal: Goal,
}

/// Where the mouse wants a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// The point there, world frame, metres.
    Point([f64; 3]),
    /// The body turned so, world frame, `w, x, y, z`.
    Turn([f64; 4]),
}

impl Drag {
    /// The push of the spring now; `None` for a body that cannot follow.
    pub fn push(&self, sim: &Sim) -> Option<Push> {
        if self.body >= sim.model().bodies.len() || !sim.moves(self.body) {
            return None;
        }
        let pose = sim.body_pose(self.body);
        let point = pose.transform_point(self.point);
        let (velocity, spin) = sim.velocity_at(self.body, point);
        let spring = |mass: f64, away: [f64; 3], speed: [f64; 3]| {
            let damping = 2.0 * STIFFNESS.sqrt();
            [0, 1, 2].map(|k| mass * (STIFFNESS * away[k] - damping * speed[k]))
        };
        let mut push = Push {
            body: self.body,
            point,
            ..Push::default()
        };
        match self.goal {
            Goal::Point(goal) => {
                let away = [0, 1, 2].map(|k| goal[k] - point[k]);
                push.force_n = spring(sim.effective_mass(self.body, point), away, velocity);
            }
            Goal::Turn(goal) => {
                let inertia = sim.effective_inertia(self.body);
                push.torque_nm = spring(inertia, turn_between(&pose, goal), spin);
            }
        }
        Some(push)
    }
}

/// Axis times angle of the turn that is left to a goal, world frame, radians.
fn turn_between(pose: &Pose, goal: [f64; 4]) -> [f64; 3] {
    let goal = Pose {
        pos: [0.0; 3],
        quat: goal,
    };
    let now = Pose {
        pos: [0.0; 3],
        ..*pose
    };
    let [w, x, y, z] = goal.mul(&now.inverse()).quat;
    let sine = (x * x + y * y + z * z).sqrt();
    if sine < 1e-12 {
        return [0.0; 3];
    }
    // The shorter way round.
    let angle = 2.0 * sine.atan2(w.abs()) * w.signum();
    [x, y, z].map(|axis| axis / sine * angle)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{path::Path, sync::Arc};

    use super::*;
    use dextra_sim::{Model, PhysicsOptions};

    fn sim() -> Sim {
        let xml = "<mujoco><option gravity='0 0 0'/><worldbody><body name='b'><freejoint/>\
            <geom type='box' size='0.1 0.05 0.02' mass='0.3'/></body></worldbody></mujoco>";
        let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
        Sim::new(Arc::new(model))
    }

    fn follow(goal: Goal) -> Sim {
        let (mut sim, drag) = (
            sim(),
            Drag {
                body: 1,
                point: [0.0; 3],
                goal,
            },
        );
        for _ in 0..1_000 {
            let push = drag.push(&sim).unwrap();
            sim.step_pushed(&[], Some(&push));
        }
        sim
    }

    #[test]
    fn a_dragged_body_comes_to_rest_where_the_mouse_is() {
        let goal = [0.2, -0.1, 0.3];
        let sim = follow(Goal::Point(goal));
        let pos = sim.body_pose(1).pos;
        assert!((0..3).all(|k| (pos[k] - goal[k]).abs() < 1e-3), "{pos:?}");
    }

    #[test]
    fn a_turned_body_comes_to_rest_as_the_mouse_turned_it() {
        let (s, c) = 0.6_f64.sin_cos();
        let goal = [c, 0.0, s, 0.0];
        let quat = follow(Goal::Turn(goal)).body_pose(1).quat;
        assert!((0..4).all(|k| (quat[k] - goal[k]).abs() < 5e-3), "{quat:?}");
    }

    #[test]
    fn what_cannot_move_is_not_pushed() {
        let drag = Drag {
            body: 0,
            point: [0.0; 3],
            goal: Goal::Point([1.0; 3]),
        };
        assert_eq!(drag.push(&sim()), None);
    }
}
