#!/usr/bin/env python3
"""Measures hands of other makers (crates/dextra-sim/tests/scenes/hands) against MuJoCo and prints a table.

Masses and where every body is; the posture in which a hand comes to rest under the controls of its first
keyframe; joints whose actuators are bounded together (actuatorfrcrange). As in fidelity.py the truth is
MuJoCo with ten times shorter steps, and beside ours stands what MuJoCo itself scores at the scene's
timestep. Exits 1 if a bar is missed.

    python tests/reference/hands.py [--trace PATH]
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import mujoco
import numpy as np

from fidelity import PIECES, ROOT, join, state

HANDS = ROOT / "crates" / "dextra-sim" / "tests" / "scenes" / "hands"
DRIVEN = """<mujoco><option gravity="0 0 -9.81" integrator="{integrator}"/><worldbody><body pos="0 0 1">
  <joint name="a" axis="0 1 0" damping="0.02" actuatorfrcrange="-0.3 0.2"/>
  <geom type="capsule" size="0.02" fromto="0 0 0 0.2 0 0" mass="0.2"/><body pos="0.2 0 0">
  <joint name="b" axis="0 1 0" damping="0.02" actuatorfrcrange="-0.1 0.1"/>
  <geom type="capsule" size="0.02" fromto="0 0 0 0.2 0 0" mass="0.1" contype="0"/></body></body></worldbody>
  <tendon><fixed name="t"><joint joint="a" coef="1"/><joint joint="b" coef="0.5"/></fixed></tendon>
  <actuator><position joint="a" kp="2" kv="0.1"/><motor joint="b"/><motor tendon="t"/></actuator></mujoco>"""


def simulate(path, pieces, qpos, rows):
    """MuJoCo's positions after each row of controls, with each timestep cut into pieces."""
    model = mujoco.MjModel.from_xml_path(str(path))
    model.opt.timestep /= pieces
    data = mujoco.MjData(model)
    if qpos is not None:
        data.qpos = qpos
    trace = []
    for row in rows:
        data.ctrl = row
        mujoco.mj_step(model, data, nstep=pieces)
        trace.append(data.qpos.copy())
    return np.array(trace)


class Ours:
    def __init__(self, command):
        self.command = command

    def lines(self, path, lines):
        done = subprocess.run([*self.command, str(path)], text=True, input="\n".join(lines) + "\n",
                              capture_output=True)
        if done.returncode:
            sys.exit(f"{' '.join(self.command)} failed:\n{done.stderr}")
        return [np.array(line.split(","), float) for line in done.stdout.splitlines()]

    def simulate(self, path, qpos, rows):
        first = [] if qpos is None else [state(qpos)]
        return np.array(self.lines(path, first + [join(row) for row in rows]))


missed = []


def tell(what, ours, theirs, unit, bar):
    word = "ok" if ours <= bar else "MISSED"
    print(f"{what:58} {ours:10.3f} {theirs:10.3f} {unit:5} at most {bar:g}  {word}")
    if ours > bar:
        missed.append(what)


def hand(ours, name):
    path = HANDS / f"{name}_scene.xml"
    model = mujoco.MjModel.from_xml_path(str(path))
    masses, poses = ours.lines(path, ["masses", "poses"])
    tell(f"{name}: masses, worst", 1e3 * np.abs(masses - model.body_mass).max(), 0, "g", 1e-3)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    at = poses[:7 * model.nbody].reshape(-1, 7)[:, :3]
    tell(f"{name}: positions of bodies, worst", 1e3 * np.abs(at - data.xpos).max(), 0, "mm", 1e-2)
    # Two seconds under the keyframe's controls, with nothing else there: where the joints come to rest.
    alone, rows = HANDS / f"{name}.xml", np.tile(model.key_ctrl[0], (1000, 1))
    truth, coarse = (simulate(alone, pieces, None, rows)[-1] for pieces in (PIECES, 1))
    found = ours.simulate(alone, None, rows)[-1]
    error = lambda q: 1e3 * np.abs(q - truth).max()
    # Where the base links scrape on the palm as they turn, MuJoCo too depends on its timestep.
    bar = 25 if name == "capsules" else 10
    tell(f"{name}: joints at rest, worst", error(found), error(coarse), "mrad", bar)


def bounded(ours, integrator):
    rng = np.random.default_rng(3)
    rows = np.repeat(rng.uniform(-1, 1, (20, 3)) * [1.5, 0.3, 0.4], 50, axis=0)
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(DRIVEN.format(integrator=integrator))
        file.flush()
        truth, coarse = (simulate(file.name, pieces, None, rows) for pieces in (PIECES, 1))
        found = ours.simulate(file.name, None, rows)
    error = lambda trace: 1e3 * float(np.sqrt(np.mean(np.square(trace - truth))))
    tell(f"bounded joints ({integrator}), rms over 2 s", error(found), error(coarse), "mrad", 20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", type=pathlib.Path, help="the built example `trace`")
    args = parser.parse_args()
    cargo = ["cargo", "run", "--quiet", "--release", "--manifest-path", str(ROOT / "Cargo.toml"),
             "-p", "dextra-sim", "--example", "trace", "--"]
    ours = Ours([os.fspath(args.trace)] if args.trace else cargo)
    print(f"{'':58} {'ours':>10} {'MuJoCo':>10}")
    for name in ("boxes", "capsules", "tendons"):
        hand(ours, name)
    for integrator in ("Euler", "implicitfast"):
        bounded(ours, integrator)
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
