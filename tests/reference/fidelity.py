#!/usr/bin/env python3
"""Measures our physics against MuJoCo on the same MJCF and prints a table.

Each experiment is a scene (scenes/adroit_door.xml, sometimes edited), a start and rows of controls
at the scene's timestep of 2 ms. The truth is MuJoCo with ten times shorter steps; beside ours stands
what MuJoCo itself scores at the scene's timestep. Exits 1 if a bar is missed.

    python tests/reference/fidelity.py [--trace PATH] [--no-split] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import mujoco
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENE = ROOT / "scenes" / "adroit_door.xml"
ARM = ("ARTz", "ARRx", "ARRy", "ARRz")
DT = 0.002
# Steps of the truth per timestep of the scene.
PIECES = 10


def expand(element):
    """Puts the children of an included file where its <include> stands."""
    for child in list(element):
        if child.tag == "include":
            at = list(element).index(child)
            element.remove(child)
            included = expand(ElementTree.parse(SCENE.parent / child.get("file")).getroot())
            for offset, new in enumerate(included):
                element.insert(at + offset, new)
        else:
            expand(child)
    return element


class Scene:
    """An edited copy of the scene, in one file."""

    def __init__(self):
        self.root = expand(ElementTree.parse(SCENE).getroot())

    def find(self, tag, name):
        return self.root.find(f".//{tag}[@name='{name}']")

    def place_door(self, x, y, z):
        self.find("body", "frame").set("pos", f"{x} {y} {z}")
        return self

    def without_contacts(self):
        """Nothing touches anything: collision bits and pairs removed."""
        for parent in self.root.iter("body"):
            for geom in parent.findall("geom"):
                geom.set("contype", "0")
                geom.set("conaffinity", "0")
        pairs = self.root.find("contact")
        self.root.remove(pairs)
        return self

    def without_arm(self):
        """The forearm fixed in the world."""
        for kind, prefix in (("joint", ""), ("general", "A_")):
            for parent in self.root.iter():
                for name in ARM:
                    for child in parent.findall(f"{kind}[@name='{prefix}{name}']"):
                        parent.remove(child)
        return self

    def limp(self):
        """All servos without force."""
        for general in self.root.iter("general"):
            general.set("gainprm", "0 0 0")
            general.set("biasprm", "0 0 0")
        return self

    def with_motor(self, joint):
        """A torque of 1 N m per unit of control, appended to the actuators."""
        ElementTree.SubElement(self.root.findall("actuator")[-1], "general", {
            "name": f"motor_{joint}", "joint": joint, "ctrlrange": "-100 100",
            "gainprm": "1 0 0", "biastype": "none", "biasprm": "0 0 0"})
        return self

    def text(self):
        return ElementTree.tostring(self.root, encoding="unicode")


class Theirs:
    """MuJoCo, with each timestep of the scene cut into `pieces`."""

    def __init__(self, pieces=1):
        self.pieces = pieces
        self.done = {}

    def start(self, scene):
        model = model_of(scene)
        model.opt.timestep /= self.pieces
        return model, mujoco.MjData(model)

    def run(self, scene, rows, qpos=None):
        key = scene.text(), rows.tobytes(), None if qpos is None else qpos.tobytes()
        if key not in self.done:
            self.done[key] = self.simulate(scene, rows, qpos)
        return self.done[key]

    def simulate(self, scene, rows, qpos):
        model, data = self.start(scene)
        if qpos is not None:
            data.qpos = qpos
        mujoco.mj_forward(model, data)
        trace = np.empty((len(rows), model.nq))
        for i, row in enumerate(rows):
            data.ctrl = row
            mujoco.mj_step(model, data, nstep=self.pieces)
            trace[i] = data.qpos
        return trace

    def poses(self, scene, states):
        model, data = self.start(scene)
        rows = []
        for qpos in states:
            data.qpos = qpos
            mujoco.mj_forward(model, data)
            rows.append(np.concatenate([np.hstack([data.xpos, data.xquat]).ravel(), data.site_xpos.ravel()]))
        return model.body_mass, rows


TRUTH = Theirs(PIECES)


class Ours:
    """The `trace` example, one process per experiment."""

    def __init__(self, command, split):
        self.command, self.split = command, split

    def lines(self, scene, lines):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(scene.text())
            file.flush()
            done = subprocess.run([*self.command, file.name, *self.split], text=True,
                                  input="\n".join(lines) + "\n", capture_output=True)
        if done.returncode:
            sys.exit(f"{' '.join(self.command)} failed:\n{done.stderr}")
        return [np.array(line.split(","), float) for line in done.stdout.splitlines()]

    def run(self, scene, rows, qpos=None):
        lines = [] if qpos is None else [state(qpos)]
        return np.array(self.lines(scene, lines + [join(row) for row in rows]))

    def poses(self, scene, states):
        masses, *rows = self.lines(scene, ["masses"] + [
            line for qpos in states for line in (state(qpos), "poses")])
        return masses, rows


def join(numbers):
    return ",".join(repr(float(x)) for x in numbers)


def state(qpos):
    return "qpos," + join(qpos)


class Report:
    """What an engine scored, in order."""

    def __init__(self):
        self.rows = {}

    def add(self, name, what, value, unit, low=-np.inf, high=np.inf):
        """A number that must lie between `low` and `high`; without either it is only told."""
        self.rows[name] = {"what": what, "value": float(value), "unit": unit, "low": low, "high": high}


def model_of(scene):
    return mujoco.MjModel.from_xml_string(scene.text())


def turning(model):
    """Which entries of qpos are angles of the hand and the arm."""
    joints = [model.joint(i) for i in range(model.njnt)]
    return np.array([j.name not in ("door_hinge", "latch") and j.type[0] == mujoco.mjtJoint.mjJNT_HINGE
                     for j in joints])


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def masses_and_kinematics(report, engine):
    scene = Scene()
    model = model_of(scene)
    data = mujoco.MjData(model)
    rng = np.random.default_rng(1)
    poses = rng.uniform(*model.jnt_range.T, (20, model.nq))
    masses, rows = engine.poses(scene, poses)
    moving = [b for b in range(model.nbody) if model.body_weldid[b]]
    report.add("mass_kg", "body masses, largest difference",
               np.abs(masses[moving] - model.body_mass[moving]).max(), "kg", high=1e-6)
    position = turn = site = 0.0
    for qpos, row in zip(poses, rows):
        data.qpos = qpos
        mujoco.mj_forward(model, data)
        bodies = row[:7 * model.nbody].reshape(-1, 7)
        sites = row[7 * model.nbody:].reshape(-1, 3)
        position = max(position, np.abs(bodies[:, :3] - data.xpos).max())
        alike = np.abs(np.sum(bodies[:, 3:] * data.xquat, axis=1)).clip(max=1.0)
        turn = max(turn, 2 * np.arccos(alike.min()))
        site = max(site, np.abs(sites - data.site_xpos).max())
    report.add("body_position_mm", "body positions, 20 random poses", position * 1e3, "mm", high=0.01)
    report.add("body_turn_mrad", "body rotations, 20 random poses", turn * 1e3, "mrad", high=1)
    report.add("site_position_mm", "site positions, 20 random poses", site * 1e3, "mm", high=0.01)


def servo(report, engine):
    """Every actuator jumps to a random target each 0.3 s for 3 s; nothing touches."""
    scene = Scene().without_contacts()
    model = model_of(scene)
    rng = np.random.default_rng(2)
    low, high = model.actuator_ctrlrange.T
    targets = rng.uniform(low, high, (10, model.nu))
    targets[:, :4] *= 0.3
    rows = np.repeat(targets, round(0.3 / DT), axis=0)
    difference = engine.run(scene, rows) - TRUTH.run(scene, rows)
    angles = turning(model)
    report.add("servo_mrad", "servo steps, rms over joints and time", rms(difference[:, angles]) * 1e3,
               "mrad", high=3)
    names = np.array([model.joint(i).name for i in range(model.njnt)])
    per_joint = np.sqrt(np.mean(difference ** 2, axis=0))
    worst = int(np.argmax(np.where(angles, per_joint, 0)))
    report.add("servo_worst_mrad", f"  of the worst joint ({names[worst]})", per_joint[worst] * 1e3, "mrad")
    report.add("servo_slide_mm", "  of the arm's slide", per_joint[0] * 1e3, "mm", high=1)
    still = np.arange(len(rows)) % round(0.3 / DT) >= round(0.25 / DT)
    report.add("servo_settled_mrad", "  rms once settled", rms(difference[still][:, angles]) * 1e3, "mrad",
               high=3)


def swing(report, engine):
    """The limp hand falls from mid-range with its forearm fixed."""
    scene = Scene().without_contacts().without_arm().limp()
    model = model_of(scene)
    qpos = model.jnt_range.mean(axis=1)
    qpos[-2:] = 0.0
    rows = np.zeros((round(0.5 / DT), model.nu))
    theirs = TRUTH.run(scene, rows, qpos)
    angles = turning(model)
    difference = np.abs(engine.run(scene, rows, qpos) - theirs)[:, angles]
    moved = np.abs(theirs[-1] - qpos)[angles].max()
    report.add("swing_mrad", "free swing, largest difference at 0.5 s", difference[-1].max() * 1e3,
               "mrad", high=5)
    report.add("swing_moved_rad", "  having moved by", moved, "rad")


def door_scene():
    """The hand far from the door, motors on hinge and latch (the last two controls)."""
    scene = Scene().place_door(-0.25, 1.5, 0.3).with_motor("door_hinge").with_motor("latch")
    return scene, model_of(scene)


def door_rows(model, hinge, latch):
    hinge, latch = np.broadcast_arrays(hinge, latch)
    rows = np.zeros((len(hinge), model.nu))
    rows[:, -2], rows[:, -1] = hinge, latch
    return rows


def latch(report, engine):
    scene, model = door_scene()
    second = round(1.0 / DT)
    for pull in (10.0, 30.0):
        rows = door_rows(model, np.full(2 * second, pull), 0.0)
        mine, theirs = (e.run(scene, rows)[-1, -2] for e in (engine, TRUTH))
        report.add(f"closed_{pull:.0f}_rad", f"closed door after 2 s under {pull:.0f} N m"
                   f" (truth {theirs:.4f})", mine, "rad", low=0, high=0.05)
    turn = np.concatenate([np.full(second, 10.0), np.full(2 * second, 5.0)])
    pull = np.concatenate([np.zeros(second), np.full(2 * second, 4.0)])
    rows = door_rows(model, pull, turn)
    mine, theirs = (e.run(scene, rows) for e in (engine, TRUTH))
    report.add("turned_latch_rad", f"latch turned with 10 N m for 1 s (truth {theirs[second - 1, -1]:.3f})",
               abs(mine[second - 1, -1] - theirs[second - 1, -1]), "rad off", high=0.02)
    report.add("turned_door_rad", f"door then pulled with 4 N m for 2 s (truth {theirs[-1, -2]:.3f})",
               mine[-1, -2], "rad", low=1.35)
    report.add("opening_rad", "  largest difference while it opens",
               np.abs(mine[:, -2] - theirs[:, -2]).max(), "rad", high=0.02)


def breakaway(report, engine):
    """A torque that grows by 1 N m/s: when does the joint start to move?"""
    scene, model = door_scene()
    # Clear of the limits, which push within 0.01 rad; the hinge with its latch open.
    start, closed = np.zeros(model.nq), np.zeros(model.nq)
    start[-2:], closed[-1] = (0.1, 1.5), 0.1
    ramp = np.arange(0.0, 4.0, DT)
    for name, column, rows, qpos in (
        ("hinge", -2, door_rows(model, ramp[: round(3 / DT)], 0.0), start),
        ("latch", -1, door_rows(model, 0.0, 3.0 + ramp), closed),
    ):
        torques = rows[:, column]
        at = []
        for e in (engine, TRUTH):
            trace = e.run(scene, rows, qpos)[:, column]
            moved = np.abs(trace - trace[0]) > 0.002
            at.append(torques[np.argmax(moved)] if moved.any() else np.nan)
        report.add(f"breakaway_{name}_nm", f"breakaway of the {name} (truth {at[1]:.2f})", abs(at[0] - at[1]),
                   "N m off", high=0.1)
    held = door_rows(model, np.full(round(2 / DT), 1.8), 0.0)
    trace = engine.run(scene, held, start)[:, -2]
    report.add("creep_mrad", "hinge held at 1.8 N m of 2 for 2 s creeps", np.ptp(trace) * 1e3, "mrad", high=1)


def open_loop(report, engine):
    """Every actuator follows a sine of its own for 2 s from rest; nothing touches."""
    scene = Scene().without_contacts()
    model = model_of(scene)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, model.nu)
    actions = 0.5 * np.sin(2 * np.pi * np.arange(200)[:, None] / 50 + phases)
    rows = np.repeat(controls(model, actions), 5, axis=0)
    difference = (engine.run(scene, rows) - TRUTH.run(scene, rows))[:, turning(model)]
    report.add("open_loop_mrad", "sines on all actuators, 2 s, rms over joints and time",
               rms(difference) * 1e3, "mrad", high=10)
    report.add("open_loop_worst_mrad", "  largest difference", np.abs(difference).max() * 1e3, "mrad")


def press(report, engine):
    """The open hand is lowered onto the table in 2 s and pressed down with 30 N m more than it needs
    to get there."""
    scene = Scene().place_door(-0.25, 1.5, 0.3)
    model = model_of(scene)
    targets = np.zeros(model.nu)
    targets[:2] = 0.1, 0.16
    rows = np.linspace(0, 1, round(2 / DT))[:, None] * targets
    rows = np.concatenate([rows, np.repeat(targets[None], round(0.5 / DT), axis=0)])
    truth = TRUTH.run(scene, rows)
    difference = (engine.run(scene, rows) - truth)[-1, turning(model)]
    report.add("press_mrad", "hand pressed on the table, rms over joints at rest", rms(difference) * 1e3,
               "mrad", high=20)
    report.add("press_worst_mrad", "  largest difference", np.abs(difference).max() * 1e3, "mrad")


def controls(model, actions):
    low, high = model.actuator_ctrlrange.T
    return (low + high) / 2 + np.clip(actions, -1, 1) * (high - low) / 2


def line(row):
    bounds = ((">=", row["low"]), ("<=", row["high"]))
    bars = [f"{sign} {bound:g}" for sign, bound in bounds if np.isfinite(bound)]
    mark = "FAIL" if not row["ok"] else "ok" if bars else ""
    return (f"{mark:<5} {row['what']:<58} {row['value']:9.4g} {row['mujoco']:9.4g}"
            f"  {row['unit']}  {' '.join(bars)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trace", help="the built `trace` example; by default cargo builds it")
    parser.add_argument("--no-split", action="store_true", help="one multibody for arm and hand")
    parser.add_argument("--json", type=pathlib.Path, help="also write the numbers here")
    parser.add_argument("--only", nargs="*", default=[], help="names of experiments")
    arguments = parser.parse_args()
    command = [arguments.trace] if arguments.trace else [
        "cargo", "run", "--quiet", "--release", "-p", "dextra-sim", "--example", "trace", "--"]
    os.chdir(ROOT)
    engines = {"ours": Ours(command, [] if arguments.no_split else ["palm"]), "mujoco": Theirs()}
    experiments = [masses_and_kinematics, servo, swing, open_loop, latch, breakaway, press]
    print(f"      {'against MuJoCo at 0.2 ms':<58} {'ours':>9} {'MuJoCo':>9}  (both at 2 ms)")
    failed, table = 0, {}
    for experiment in experiments:
        if arguments.only and experiment.__name__ not in arguments.only:
            continue
        reports = {name: Report() for name in engines}
        for name, engine in engines.items():
            experiment(reports[name], engine)
        for name, row in reports["ours"].rows.items():
            row["mujoco"] = reports["mujoco"].rows[name]["value"]
            row["ok"] = bool(row["low"] <= row["value"] <= row["high"])
            failed += not row["ok"]
            print(line(row), flush=True)
            table[name] = row
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1))
    print(f"{failed} bars missed" if failed else "all bars met")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
