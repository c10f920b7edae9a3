#!/usr/bin/env python3
"""Replays the recorded open loops of the published environments in our physics and prints a table.

Each record (../shared/data/mujoco_reference) is 200 control steps of sines on all actuators, from
AdroitHand*-v1. Until the hand touches something the joints must agree; after that the two engines'
contacts part ways, and what is printed is how far. Exits 1 if a bar is missed.

    python tests/reference/open_loop.py [--trace PATH] [TASK...]
"""

import argparse
import os
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import mujoco
import numpy as np

from fidelity import ROOT, Ours, Report, controls, expand, line, model_of, rms

RECORDS = ROOT.parent / "shared" / "data" / "mujoco_reference"
# Of each task: what its resets draw (a body and its attribute), and the bar in mrad. Where there is an
# ARRz, the record begins with a jerk of it, 250 N m in the door, that throws the little finger's root
# against its stop.
TASKS = {"door": ("frame", "pos", 25), "hammer": ("nail_board", "pos", 5),
         "pen": ("target", "quat", 5), "relocate": ("Object", "pos", 25)}
FRAME_SKIP = 5


class Scene:
    """A task's scene as a reset has placed it."""

    def __init__(self, task, drawn):
        self.root = expand(ElementTree.parse(ROOT / "scenes" / f"adroit_{task}.xml").getroot())
        body, attribute, _ = TASKS[task]
        size = {"pos": 3, "quat": 4}[attribute]
        self.root.find(f".//body[@name='{body}']").set(attribute, " ".join(map(str, drawn[:size])))

    def text(self):
        return ElementTree.tostring(self.root, encoding="unicode")


def replay(model, rows, qpos):
    """MuJoCo's positions after each control step, and the first at which the hand touches something."""
    data = mujoco.MjData(model)
    data.qpos = qpos
    mujoco.mj_forward(model, data)
    hand = model.body_rootid[model.geom_bodyid] == model.body("forearm").id
    trace, touched = [], len(rows) // FRAME_SKIP
    for i, row in enumerate(rows):
        data.ctrl = row
        mujoco.mj_step(model, data)
        if hand[data.contact.geom].any():
            touched = min(touched, i // FRAME_SKIP)
        if i % FRAME_SKIP == FRAME_SKIP - 1:
            trace.append(data.qpos.copy())
    return np.array(trace), touched


def compare(report, task, engine):
    record = np.load(RECORDS / f"{task}_openloop_seed0.npz")
    scene = Scene(task, record["rand_param"])
    model = model_of(scene)
    rows = np.repeat(controls(model, record["act"]), FRAME_SKIP, axis=0)
    theirs, free = replay(model, rows, record["init_qpos"])
    report.add(f"{task}_record", f"{task}: MuJoCo on our scene till then, off the record by",
               np.abs(theirs - record["qpos"])[:free].max(), "rad, m", high=1e-6)
    ours = engine.run(scene, rows, record["init_qpos"])[FRAME_SKIP - 1::FRAME_SKIP]
    driven = model.jnt_qposadr[model.actuator_trnid[:, 0]]
    turning = model.jnt_type[model.actuator_trnid[:, 0]] == mujoco.mjtJoint.mjJNT_HINGE
    apart = (ours - theirs)[:, driven[turning]]
    report.add(f"{task}_free_mrad", f"{task}: hand joints, rms over {free} steps without a touch",
               rms(apart[:free]) * 1e3, "mrad", high=TASKS[task][2])
    report.add(f"{task}_all_mrad", f"{task}: hand joints, rms over all {len(apart)} steps",
               rms(apart) * 1e3, "mrad")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trace", help="the built `trace` example; by default cargo builds it")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)}; all by default")
    arguments = parser.parse_args()
    unknown = [task for task in arguments.tasks if task not in TASKS]
    if unknown:
        parser.error(f"no task is called {unknown[0]}; the tasks are {', '.join(TASKS)}")
    if not RECORDS.exists():
        print(f"skipped: {RECORDS} is not here")
        return
    command = [arguments.trace] if arguments.trace else [
        "cargo", "run", "--quiet", "--release", "-p", "dextra-sim", "--example", "trace", "--"]
    os.chdir(ROOT)
    report = Report()
    for task in arguments.tasks or TASKS:
        compare(report, task, Ours(command, ["palm"]))
    failed = 0
    for row in report.rows.values():
        row["ok"] = bool(row["low"] <= row["value"] <= row["high"])
        failed += not row["ok"]
        row["mujoco"] = np.nan
        print(line(row).replace("      nan", "").rstrip())
    print(f"{failed} bars missed" if failed else "all bars met")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
