//! From a motion and a state of the scene to an action.

use dextra_sim::{JointKind, Pose, Sim};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    ExpertState,
    arm::Goal,
    math::{add, quaternion, scale, turn},
    plan::{Frame, Lead, Motion, Tool, WaypointPlan},
};
use crate::TaskModel;

/// The state with the motion that is due: the next one, or where a retry leads, when the time of
/// the present one is up.
pub(super) fn advance(plan: &WaypointPlan, state: &ExpertState, sim: &Sim) -> ExpertState {
    let motion = &plan.motions[state.motion];
    if state.elapsed < motion.steps {
        return state.clone();
    }
    let failed = motion
        .retry
        .filter(|retry| sim.qpos()[retry.qpos_adr] < retry.below);
    let next = failed.map_or(state.motion + 1, |retry| retry.to);
    if next >= plan.motions.len() {
        return state.clone();
    }
    ExpertState {
        motion: next,
        elapsed: 0,
        visits: state.visits + 1,
        ..state.clone()
    }
}

/// The action of the present motion.
pub(super) fn action(
    plan: &WaypointPlan,
    model: &TaskModel,
    state: &ExpertState,
    sim: &Sim,
) -> Vec<f32> {
    let motion = &plan.motions[state.motion];
    let wanted = wanted(plan, motion, state, sim);
    plan.tracker
        .action(model, sim, &wanted, &motion.posture_rad)
}

/// Where the arm should be for a motion.
pub(super) fn wanted(
    plan: &WaypointPlan,
    motion: &Motion,
    state: &ExpertState,
    sim: &Sim,
) -> Vec<f64> {
    let present = plan.tracker.positions(sim);
    let goal = Goal {
        pose: target(plan, motion, state, sim),
        tip: match &motion.tool {
            Some(tool) => plan.tracker.arm.held(&present, &tool_pose(tool, sim)),
            None => Pose::IDENTITY,
        },
        rotation_weight_m: motion.rotation_weight_m,
    };
    plan.tracker.solve_goal(&present, goal)
}

fn tool_pose(tool: &Tool, sim: &Sim) -> Pose {
    sim.body_pose(tool.body).mul(&Pose {
        pos: tool.at_m,
        ..Pose::IDENTITY
    })
}

/// Where the palm or the tool should go: the motion's waypoint in its frame, missed by this visit's
/// noise.
fn target(plan: &WaypointPlan, motion: &Motion, state: &ExpertState, sim: &Sim) -> Pose {
    let carrier = match motion.frame {
        Frame::Site(site) => sim.site_pose(site),
        Frame::Body(body) => sim.body_pose(body),
        Frame::Origin(body) => Pose {
            pos: sim.body_pose(body).pos,
            ..Pose::IDENTITY
        },
    };
    let frame = motion
        .leads
        .iter()
        .fold(carrier, |frame, lead| ahead(&frame, lead, sim));
    let turned = Pose {
        pos: motion.position_m,
        quat: quaternion(motion.rotation_rad),
    };
    let reference = Pose {
        pos: [0.0; 3],
        quat: match motion.tool {
            Some(_) => Pose::IDENTITY.quat,
            None => plan.tracker.arm.reference,
        },
    };
    let waypoint = frame.mul(&turned).mul(&reference);
    Pose {
        pos: add(waypoint.pos, noise_m(plan.position_noise_m, state)),
        quat: waypoint.quat,
    }
}

/// A frame after a joint has moved on by the lead.
fn ahead(frame: &Pose, lead: &Lead, sim: &Sim) -> Pose {
    let joint = &sim.model().joints[lead.joint];
    let body = sim.body_pose(joint.body);
    let by = (lead.up_to - sim.qpos()[joint.qpos_adr]).min(lead.by);
    let axis = body.rotate(joint.axis);
    match joint.kind {
        JointKind::Slide => Pose {
            pos: add(frame.pos, scale(axis, by)),
            quat: frame.quat,
        },
        _ => turn(frame, body.transform_point(joint.anchor), axis, by),
    }
}

/// Uniform along each axis; one draw per visit, from the episode's seed.
fn noise_m(half_width_m: f64, state: &ExpertState) -> [f64; 3] {
    let mut rng = ChaCha8Rng::seed_from_u64(state.seed);
    // Stream 0 is the environment's reset.
    rng.set_stream(state.visits + 1);
    [(); 3].map(|()| half_width_m * (2.0 * rng.random::<f64>() - 1.0))
}
