#!/usr/bin/env python3
"""Compares scenes/adroit_TASK.xml with gymnasium-robotics' AdroitHandTASK-v1, both in MuJoCo.

Every number that the dynamics depend on is compared by name; then kinematics, mass matrices and
contacts at random states, and a simulated trace. Prints one line per check and exits 1 if any fails.

    python tests/reference/check_scene.py [--task door] [--trace door_openloop_seed0.npz]
"""

import argparse
import pathlib
import sys

import gymnasium
import gymnasium_robotics
import mujoco
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACES = ROOT.parent / "shared" / "data" / "mujoco_reference"
# Of each task: what its resets draw (a field of the model, the body, a typical value), and for how
# many control steps the open loops must agree how well. The pen's contacts are solved in another
# order, and after 0.6 s it tumbles.
TASKS = {
    "door": ("body_pos", "frame", [-0.25, 0.3, 0.3], 200, 1e-9),
    "hammer": ("body_pos", "nail_board", [0.05, 0.0, 0.185], 200, 1e-9),
    "pen": ("body_quat", "target", [0.86, 0.43, 0.24, 0.12], 60, 1e-4),
    "relocate": ("body_pos", "Object", [0.05, -0.03, 0.035], 200, 1e-9),
}
# What the original has and we do not: a tracker that nothing uses, and the table's mass.
STATIC = {"world", "table", "vive_tracker"}

failures = 0


def check(what, difference, bar, note=""):
    """Prints one line of the table; `difference` above `bar`, or not finite, is a failure."""
    global failures
    ok = bool(np.isfinite(difference) and difference <= bar)
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'}  {what:<46} {difference:12.3e}  <= {bar:.0e}  {note}")


def gap(a, b):
    """Largest absolute difference; infinite where the shapes differ."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        return np.inf
    return float(np.max(np.abs(a - b), initial=0.0))


def names(model, count, accessor):
    return [accessor(i).name for i in range(count)]


def inertia_in_body_frame(model, body):
    """Inertia tensor about the centre of mass: principal frames of equal moments are arbitrary."""
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[body])
    rotation = rotation.reshape(3, 3)
    return rotation @ np.diag(model.body_inertia[body]) @ rotation.T


def check_options(ours, theirs):
    for field in ("timestep", "gravity", "integrator", "cone", "solver", "iterations", "tolerance",
                  "ls_iterations", "noslip_iterations", "noslip_tolerance", "impratio",
                  "density", "viscosity", "disableflags", "enableflags"):
        check(f"option {field}", gap(getattr(ours.opt, field), getattr(theirs.opt, field)), 0)


def check_bodies(ours, theirs):
    wanted = [n for n in names(theirs, theirs.nbody, theirs.body) if n not in STATIC]
    missing = [n for n in wanted if n not in names(ours, ours.nbody, ours.body)]
    check("bodies present", len(missing), 0, " ".join(missing))
    pairs = [(ours.body(n).id, theirs.body(n).id) for n in wanted]
    for field in ("body_mass", "body_ipos", "body_pos", "body_quat", "body_gravcomp"):
        a, b = getattr(ours, field), getattr(theirs, field)
        check(field, max(gap(a[i], b[j]) for i, j in pairs), 1e-9)
    check("body inertia", max(
        gap(inertia_in_body_frame(ours, i), inertia_in_body_frame(theirs, j)) for i, j in pairs), 1e-7)
    parent = lambda m, i: m.body(m.body_parentid[i]).name
    check("body parents", sum(parent(ours, i) != parent(theirs, j) for i, j in pairs), 0)


def check_joints(ours, theirs):
    order = names(ours, ours.njnt, ours.joint) == names(theirs, theirs.njnt, theirs.joint)
    check("joint order", not order, 0)
    for field in ("jnt_type", "jnt_pos", "jnt_axis", "jnt_range", "jnt_limited", "jnt_margin",
                  "jnt_stiffness", "jnt_solref", "jnt_solimp", "qpos_spring", "dof_damping",
                  "dof_armature", "dof_frictionloss", "dof_solref", "dof_solimp", "dof_invweight0",
                  "dof_M0"):
        check(field, gap(getattr(ours, field), getattr(theirs, field)), 1e-6)


def check_actuators(ours, theirs):
    order = names(ours, ours.nu, ours.actuator) == names(theirs, theirs.nu, theirs.actuator)
    check("actuator order", not order, 0)
    for field in ("actuator_trntype", "actuator_trnid", "actuator_gaintype", "actuator_biastype",
                  "actuator_dyntype", "actuator_gainprm", "actuator_biasprm", "actuator_ctrllimited",
                  "actuator_ctrlrange", "actuator_forcelimited", "actuator_gear"):
        check(field, gap(getattr(ours, field), getattr(theirs, field)), 1e-12)


def colliding(model):
    """Each geom that can touch anything, as (body, numbers), sorted: names are free."""
    rows = []
    for g in range(model.ngeom):
        if not (model.geom_contype[g] or model.geom_conaffinity[g]):
            continue
        numbers = np.concatenate([
            [model.geom_type[g], model.geom_contype[g], model.geom_conaffinity[g],
             model.geom_condim[g], model.geom_priority[g], model.geom_margin[g],
             model.geom_gap[g], model.geom_solmix[g]],
            model.geom_size[g], model.geom_pos[g], model.geom_quat[g], model.geom_friction[g],
            model.geom_solref[g], model.geom_solimp[g]])
        rows.append((model.body(model.geom_bodyid[g]).name, tuple(np.round(numbers, 9))))
    return sorted(rows)


def check_contacts(ours, theirs):
    a, b = colliding(ours), colliding(theirs)
    bodies = [n for n, _ in a] == [n for n, _ in b]
    check("colliding geoms, by body", not bodies, 0, f"{len(a)} geoms")
    if bodies:
        check("colliding geoms, their numbers", gap([r for _, r in a], [r for _, r in b]), 1e-8)
    touching = [g for g in range(ours.ngeom) if ours.geom_group[g] == 1
                  and (ours.geom_contype[g] or ours.geom_conaffinity[g])]
    check("drawn geoms that collide", len(touching), 0)

    def pairs(model):
        """Sorted, with repetitions: a pair listed twice makes two contacts."""
        return sorted((*sorted((model.geom(model.pair_geom1[i]).name,
                                model.geom(model.pair_geom2[i]).name)),
                       model.pair_dim[i], model.pair_margin[i], model.pair_gap[i],
                       *model.pair_friction[i], *model.pair_solref[i], *model.pair_solimp[i])
                      for i in range(model.npair))
    a, b = pairs(ours), pairs(theirs)
    same = [row[:2] for row in a] == [row[:2] for row in b]
    check("contact pairs", not same, 0, f"{len(a)} pairs")
    if same:
        check("contact pairs, their numbers", gap([r[2:] for r in a], [r[2:] for r in b]), 1e-12)


def check_tendons(ours, theirs):
    """Ours must equal theirs; theirs that we leave out must be unable to bind."""
    def coefficients(model, t):
        row = np.zeros(model.nv)
        start = model.tendon_adr[t]
        for w in range(start, start + model.tendon_num[t]):
            row[model.jnt_dofadr[model.wrap_objid[w]]] = model.wrap_prm[w]
        return row
    slack, kept = np.inf, 0.0
    ours_by_name = {ours.tendon(t).name: t for t in range(ours.ntendon)}
    for t in range(theirs.ntendon):
        name, row = theirs.tendon(t).name, coefficients(theirs, t)
        if name in ours_by_name:
            o = ours_by_name[name]
            kept = max(kept, gap(coefficients(ours, o), row),
                       *(gap(getattr(ours, f)[o], getattr(theirs, f)[t]) for f in (
                           "tendon_range", "tendon_limited", "tendon_margin", "tendon_stiffness",
                           "tendon_damping", "tendon_solref_lim", "tendon_solimp_lim")))
            continue
        ends = row[:, None] * theirs.jnt_range
        low, high = ends.min(axis=1).sum(), ends.max(axis=1).sum()
        slack = min(slack, low - theirs.tendon_range[t, 0], theirs.tendon_range[t, 1] - high)
    check("tendons kept", kept, 1e-12, f"{ours.ntendon} of {theirs.ntendon}")
    check("tendons left out can bind by", max(0.0, -slack), 0, f"nearest {slack * 1e3:.2f} mm away")


def random_state(model, rng):
    low, high = model.jnt_range.T
    return rng.uniform(low, high), rng.normal(0.0, 1.0, model.nv)


def check_states(ours, theirs, count=50):
    """Kinematics, mass matrix, bias forces, contacts and accelerations at random states."""
    rng = np.random.default_rng(0)
    a, b = mujoco.MjData(ours), mujoco.MjData(theirs)
    moving = [n for n in names(theirs, theirs.nbody, theirs.body) if n not in STATIC]
    sites = [n for n in names(ours, ours.nsite, ours.site)]
    worst = dict.fromkeys(("body", "turn", "site", "mass", "bias", "force", "contacts"), 0.0)
    total_contacts = 0
    for _ in range(count):
        qpos, qvel = random_state(theirs, rng)
        ctrl = rng.uniform(*theirs.actuator_ctrlrange.T)
        for model, data in ((ours, a), (theirs, b)):
            data.qpos, data.qvel, data.ctrl = qpos, qvel, ctrl
            mujoco.mj_forward(model, data)
        for n in moving:
            worst["body"] = max(worst["body"], gap(a.body(n).xpos, b.body(n).xpos))
            worst["turn"] = max(worst["turn"], gap(a.body(n).xmat, b.body(n).xmat))
        for n in sites:
            worst["site"] = max(worst["site"], gap(a.site(n).xpos, b.site(n).xpos))
        full = [np.zeros((ours.nv, ours.nv)), np.zeros((ours.nv, ours.nv))]
        mujoco.mj_fullM(ours, a, full[0])
        mujoco.mj_fullM(theirs, b, full[1])
        worst["mass"] = max(worst["mass"], gap(*full))
        worst["bias"] = max(worst["bias"], gap(a.qfrc_bias, b.qfrc_bias))
        worst["force"] = max(worst["force"], gap(a.qfrc_actuator, b.qfrc_actuator))
        depth = lambda d: np.sort(np.unique(np.round(d.contact.dist, 9)))
        worst["contacts"] = max(worst["contacts"], gap(depth(a), depth(b)))
        total_contacts += a.ncon
    at = f"{count} random states"
    check("body positions, m", worst["body"], 1e-9, at)
    check("body rotations", worst["turn"], 1e-9, at)
    check("site positions, m", worst["site"], 1e-9, f"{at}, {len(sites)} sites")
    check("mass matrix", worst["mass"], 1e-7, at)
    check("gravity and Coriolis forces, N m", worst["bias"], 1e-6, at)
    check("actuator forces, N m", worst["force"], 1e-9, at)
    check("contact depths, m", worst["contacts"], 1e-8, f"{at}, {total_contacts} contacts")


def rollout(model, task, actions, qpos, qvel, drawn, frame_skip=5):
    field, body, *_ = TASKS[task]
    getattr(model, field)[model.body(body).id] = drawn
    data = mujoco.MjData(model)
    data.qpos, data.qvel = qpos, qvel
    mujoco.mj_forward(model, data)
    middle = model.actuator_ctrlrange.mean(axis=1)
    half = np.diff(model.actuator_ctrlrange)[:, 0] / 2
    trace = []
    for action in actions:
        data.ctrl = middle + np.clip(action, -1, 1) * half
        mujoco.mj_step(model, data, nstep=frame_skip)
        trace.append(np.concatenate([data.qpos, data.qvel]))
    return np.array(trace)


def check_trace(ours, theirs, task, path):
    """200 control steps. The recorded file, where it is at hand, else the original model stepped here."""
    if path.exists():
        record = np.load(path)
        actions, drawn = record["act"], record["rand_param"][: len(TASKS[task][2])]
        start = record["init_qpos"], record["init_qvel"]
        expected = np.concatenate([record["qpos"], record["qvel"]], axis=1)
        source = f"recorded, {len(actions)} steps"
    else:
        phases = np.random.default_rng(0).uniform(0, 2 * np.pi, ours.nu)
        actions = 0.5 * np.sin(2 * np.pi * np.arange(200)[:, None] / 50 + phases)
        drawn, start = TASKS[task][2], (np.zeros(ours.nq), np.zeros(ours.nv))
        expected = rollout(theirs, task, actions, *start, drawn)
        source = f"simulated, {len(actions)} steps"
    trace = rollout(ours, task, actions, *start, drawn)
    nq, (*_, steps, bar) = ours.nq, TASKS[task]
    trace, expected = trace[:steps], expected[:steps]
    note = f"{source}, {steps} of them"
    check("open loop, positions, rad or m", gap(trace[:, :nq], expected[:, :nq]), bar, note)
    check("open loop, velocities", gap(trace[:, nq:], expected[:, nq:]), 100 * bar, note)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--task", choices=TASKS, default="door")
    parser.add_argument("--trace", type=pathlib.Path)
    arguments = parser.parse_args()
    task = arguments.task
    gymnasium.register_envs(gymnasium_robotics)
    ours = mujoco.MjModel.from_xml_path(str(ROOT / "scenes" / f"adroit_{task}.xml"))
    theirs = gymnasium.make(f"AdroitHand{task.capitalize()}-v1").unwrapped.model
    print(f"      {'what':<46} {'difference':>12}     bar")
    check_options(ours, theirs)
    check_bodies(ours, theirs)
    check_joints(ours, theirs)
    check_actuators(ours, theirs)
    check_contacts(ours, theirs)
    check_tendons(ours, theirs)
    check_states(ours, theirs)
    check_trace(ours, theirs, task, arguments.trace or TRACES / f"{task}_openloop_seed0.npz")
    print(f"{failures} disagreements" if failures else "the scenes agree")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
