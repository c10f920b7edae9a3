#!/usr/bin/env python3
"""Measures contacts, friction and coupling against MuJoCo on small scenes and prints a table.

A pen pinched between two fingertips (torsional friction), a nail under the hammer (dry friction and
stop), objects on three slides and three hinges, the coupled joints of a finger, how deep things press
into each other and how they bounce off. As in fidelity.py the truth is MuJoCo with ten times shorter steps, and beside
ours stands what MuJoCo itself scores at the scene's timestep. Exits 1 if a bar is missed.

    python tests/reference/contacts.py [--trace PATH] [--set KEY=VALUE] [--only NAME...] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import sys

import mujoco
import numpy as np

from fidelity import DT, PIECES, ROOT, Ours, Report, Theirs, join, line, model_of, rms, state

# Adroit's settings for contacts and joints.
HEAD = """<mujoco><compiler angle="radian"/><option timestep="0.002" gravity="0 0 {gravity}"
  cone="{cone}" iterations="50" noslip_iterations="20"/>
  <default><joint limited="false" damping="0" armature="0.001" frictionloss="0.001" margin="0.01"/>
  <geom friction="1 0.5 0.01" margin="0.0005"/></default>"""
# An object that can go anywhere, as Adroit hangs it.
SIX = """<joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
  <joint name="z" type="slide" axis="0 0 1"/><joint name="rx" axis="1 0 0"/>
  <joint name="ry" axis="0 1 0"/><joint name="rz" axis="0 0 1"/>"""


class Scene:
    """A scene's text."""

    def __init__(self, body, rest="", gravity=-9.81, cone="elliptic"):
        head = HEAD.format(gravity=gravity, cone=cone)
        self.xml = f"{head}<worldbody>{body}</worldbody>{rest}</mujoco>"

    def text(self):
        return self.xml


class Fine(Theirs):
    """MuJoCo, also from a start with velocities."""

    def run(self, scene, rows, qpos=None, qvel=None):
        model, data = self.start(scene)
        if qpos is not None:
            data.qpos = qpos
        if qvel is not None:
            data.qvel = qvel
        mujoco.mj_forward(model, data)
        trace = np.empty((len(rows), model.nq))
        for i, row in enumerate(rows):
            data.ctrl = row
            mujoco.mj_step(model, data, nstep=self.pieces)
            trace[i] = data.qpos
        return trace


class Started(Ours):
    """Ours, also from a start with velocities."""

    def run(self, scene, rows, qpos=None, qvel=None):
        lines = [] if qpos is None else [state(qpos)]
        lines += [] if qvel is None else ["qvel," + join(qvel)]
        # A scene without actuators still needs a line per step.
        return np.array(self.lines(scene, lines + [join(row) or "0" for row in rows]))


TRUTH = Fine(PIECES)


def idle(secs, nu=0):
    return np.zeros((round(secs / DT), nu))


def column(scene, joint):
    return model_of(scene).joint(joint).qposadr[0]


def pinched(condim, spin, push=5.0, offset=0.0):
    """A pen of 182 g between two fingertips that push with `push` N, its mass off the grip."""
    finger = """<body pos="0 {y} 0"><joint name="{name}" type="slide" axis="0 {side} 0" damping="1"/>
      <geom type="sphere" size="0.01" mass="0.05" condim="{condim}" friction="1 {spin} 0.0001"/></body>"""
    tips = "".join(finger.format(name=name, y=y, side=side, condim=condim, spin=spin)
                   for name, y, side in (("left", -0.0255, 1), ("right", 0.0255, -1)))
    pen = f"""<body>{SIX}<inertial pos="{offset} 0 0" mass="0.182" diaginertia="2.2e-5 2.86e-4 2.85e-4"/>
      <geom type="capsule" size="0.015 0.065" euler="0 1.5708 0" friction="1 {spin} 0.0001"/></body>"""
    motors = """<motor joint="left"/><motor joint="right"/><motor joint="ry"/>"""
    return Scene(tips + pen, f"<actuator>{motors}</actuator>"), push


def turned(engine, scene, push, torques):
    """The pen's angle while the fingers push for half a second and then its hinge is driven."""
    rows = np.zeros((round(0.5 / DT) + len(torques), 3))
    rows[:, :2] = push
    rows[-len(torques):, 2] = torques
    return engine.run(scene, rows)[:, column(scene, "ry")][-len(torques):]


def pinch(report, engine):
    """Fingertips hold a pen against a torque that grows, and against its own weight."""
    for spin in (0.002, 0.01):
        scene, push = pinched(4, spin)
        limit = 2 * spin * push
        ramp = np.arange(0.0, 1.5, DT) * limit
        at = []
        for e in (engine, TRUTH):
            angle = np.abs(turned(e, scene, push, ramp))
            at.append(ramp[np.argmax(angle > 0.05)] if (angle > 0.05).any() else np.nan)
        report.add(f"pinch_{spin}_nm", f"pen in a pinch, spin {spin} m, slips at (truth {at[1]:.4f})",
                   at[0], "N m", low=0.9 * at[1], high=1.1 * at[1])
        held = turned(engine, scene, push, np.full(round(2 / DT), 0.9 * limit))
        report.add(f"pinch_held_{spin}_rad", "  held at 0.9 of its limit for 2 s, turns by",
                   np.ptp(held), "rad", high=0.02)
        past = np.full(round(0.4 / DT), 1.5 * limit)
        mine, theirs = (turned(e, scene, push, past) for e in (engine, TRUTH))
        report.add(f"pinch_slip_{spin}_rad", f"  slips at 1.5 of it for 0.4 s, turns by (truth {theirs[-1]:.3f})",
                   mine[-1], "rad", low=0.85 * theirs[-1], high=1.15 * theirs[-1])
    # Adroit's own coefficient with the mass 30 mm off the grip.
    scene, push = pinched(4, 0.5, offset=0.03)
    angle = turned(engine, scene, push, np.zeros(round(2 / DT)))
    report.add("pinch_weight_rad", "pen held off its centre of mass for 2 s turns by", np.abs(angle).max(),
               "rad", high=0.05)
    scene, push = pinched(3, 0.5, offset=0.03)
    mine, theirs = (turned(e, scene, push, np.zeros(round(0.3 / DT))) for e in (engine, TRUTH))
    report.add("pinch_free_rad", "without torsional friction it swings: difference in 0.3 s",
               np.abs(mine - theirs).max(), "rad", high=0.3)


def nail_scene(tool, gravity=0.0):
    """Adroit's nail, driven along +x, and a tool before it."""
    nail = """<body name="nail"><inertial pos="-0.0775 0 0" mass="0.0699" diaginertia="2.5e-5 8.2e-5 8.2e-5"/>
      <joint name="nail" type="slide" axis="1 0 0" range="-0.01 0.09" limited="true" damping="0.05"
        frictionloss="2.5"/>
      <geom type="cylinder" size="0.035 0.005" pos="-0.1 0 0" euler="0 1.5708 0"/></body>"""
    return Scene(nail + tool, '<actuator><motor joint="nail"/></actuator>', gravity)


HAMMER = f"""<body pos="-0.155 0 0">{SIX}<inertial pos="0 0 0" mass="0.253" diaginertia="3.5e-3 3.5e-3 9e-5"/>
  <geom type="cylinder" size="0.02 0.04" euler="0 1.5708 0" condim="4"/></body>"""
BALL = f"""<body pos="-0.135 0 0">{SIX}<geom type="sphere" size="0.02" mass="0.25"/></body>"""


def nail(report, engine):
    """Blows drive the nail, and forces move it from its dry friction on."""
    for name, tool in (("hammer", HAMMER), ("ball", BALL)):
        scene = nail_scene(tool)
        where = column(scene, "nail")
        model = model_of(scene)
        for speed in (0.4, 0.7, 1.0, 1.3, 2.0):
            qvel = np.zeros(model.nv)
            qvel[model.joint("x").dofadr[0]] = speed
            mine, theirs = (e.run(scene, idle(1.0, 1), qvel=qvel)[-1, where] * 1e3 for e in (engine, TRUTH))
            report.add(f"nail_{name}_{speed}_mm", f"{name} at {speed} m/s drives the nail by (truth {theirs:.2f})",
                       mine, "mm", low=0.9 * theirs, high=1.1 * theirs)
    scene = nail_scene("")
    for force, name, low, high in ((2.4, "holds", 0.0, 0.01), (2.6, "slips", 0.1, np.inf)):
        qpos = engine.run(scene, np.full((round(1 / DT), 1), force))[-1, 0]
        report.add(f"nail_{force}_mm", f"nail under {force} N for 1 s {name}: moves by", qpos * 1e3, "mm", low, high)
    ramp = np.arange(0.0, 3.0, DT)[:, None]
    at = [ramp[np.argmax(np.abs(e.run(scene, ramp)[:, 0]) > 2e-4), 0] for e in (engine, TRUTH)]
    report.add("nail_breakaway_n", f"nail breaks away at (truth {at[1]:.3f})", at[0], "N",
               low=0.95 * at[1], high=1.05 * at[1])
    for start in (0.0805, 0.081, 0.082, 0.085, 0.09):
        mine, theirs = (e.run(scene, idle(2.0, 1), qpos=[start])[-1, 0] * 1e3 for e in (engine, TRUTH))
        report.add(f"nail_stop_{start}_mm", f"nail left at {start * 1e3:g} mm rests at (truth {theirs:.3f})", mine,
                   "mm", low=theirs - 0.3, high=theirs + 0.3)


def tumble(report, engine):
    """A pen on three slides and three hinges, thrown with a spin."""
    body = f"""<body>{SIX}<inertial pos="-0.0005 0 -0.0091" mass="0.182" diaginertia="2.86e-4 2.85e-4 2.2e-5"/>
      </body>"""
    scene = Scene(body)
    qvel = np.array([0.3, -0.2, 1.5, 6.0, -4.0, 8.0])
    mine, theirs = (e.run(scene, idle(0.3), qvel=qvel) for e in (engine, TRUTH))
    report.add("tumble_mm", "pen thrown, 0.3 s: position", np.abs(mine - theirs)[:, :3].max() * 1e3, "mm", high=5)
    report.add("tumble_mrad", f"  angles, having turned by {np.abs(theirs[-1, 3:]).max():.2f} rad",
               np.abs(mine - theirs)[:, 3:].max() * 1e3, "mrad", high=30)
    spin = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 3.0])
    scene = Scene(body, gravity=0.0)
    mine, theirs = (e.run(scene, idle(0.5), qvel=spin)[-1, 5] for e in (engine, TRUTH))
    report.add("spin_mrad", "  slow spin against dry friction, 0.5 s", abs(mine - theirs) * 1e3, "mrad", high=20)


def coupling(report, engine):
    """Adroit's coupled distal joints: a tendon that may be 1 mm long either way."""
    finger = """<body><joint name="b" axis="1 0 0" range="0 1.571" limited="true" damping="0.05"/>
      <inertial pos="0 0 0.012" mass="0.012" diaginertia="1e-5 1e-5 1e-5"/>
      <body pos="0 0 0.025"><joint name="a" axis="1 0 0" range="0 1.571" limited="true" damping="0.05"/>
      <inertial pos="0 0 0.015" mass="0.01" diaginertia="1e-5 1e-5 1e-5"/></body></body>"""
    rest = """<tendon><fixed limited="true" range="-0.001 0.001"><joint joint="a" coef="0.00705"/>
      <joint joint="b" coef="-0.00805"/></fixed></tendon>
      <actuator><position joint="b" kp="1"/><position joint="a" kp="1"/></actuator>"""
    scene = Scene(finger, rest)
    targets = np.array([[0.0, 1.6], [1.6, 0.0], [1.0, 1.0], [0.5, 1.5], [0.0, 0.0]])
    rows = np.repeat(targets, round(0.4 / DT), axis=0)
    mine, theirs = (e.run(scene, rows) for e in (engine, TRUTH))
    report.add("coupling_mrad", "coupled joints under opposing servos, rms", rms(mine - theirs) * 1e3, "mrad", high=10)
    report.add("coupling_worst_mrad", "  largest difference", np.abs(mine - theirs).max() * 1e3, "mrad")
    ends = np.arange(1, 6) * round(0.4 / DT) - 1
    report.add("coupling_rest_mrad", "  at rest", np.abs(mine - theirs)[ends].max() * 1e3, "mrad", high=5)


def depth(report, engine):
    """How far things press into each other: at rest under their weight, and in a grasp."""
    table = '<geom type="box" size="0.4 0.4 0.02" pos="0 0 -0.02"/>'
    for name, geom, half in (("box", 'type="box" size="0.03 0.03 0.03" mass="0.2"', 0.03),
                             ("ball", 'type="sphere" size="0.035" mass="0.18"', 0.035)):
        scene = Scene(f'{table}<body pos="0 0 {half + 0.001}">{SIX}<geom {geom}/></body>')
        mine, theirs = (e.run(scene, idle(2.0))[-1, 2] * 1e3 + 1 for e in (engine, TRUTH))
        report.add(f"rest_{name}_mm", f"{name} at rest floats above the table by (truth {theirs:.3f})", mine, "mm",
                   low=theirs - 0.1, high=theirs + 0.1)
    scene, _ = pinched(4, 0.5)
    for push in (2.0, 5.0, 20.0):
        rows = np.zeros((round(1.0 / DT), 3))
        rows[:, :2] = push
        # The tips start 0.5 mm from the pen, and its margin and theirs begin 1 mm before it.
        mine, theirs = (e.run(scene, rows)[-1, [column(scene, n) for n in ("left", "right")]].mean() * 1e3 + 0.5
                        for e in (engine, TRUTH))
        report.add(f"pinch_depth_{push:.0f}_mm", f"fingertips pinch with {push:g} N, sink in by (truth {theirs:.2f})",
                   mine, "mm", low=0.8 * theirs, high=1.2 * theirs)


def strike(report, engine):
    """A ball thrown slantwise onto the table: how it leaves, with either friction cone."""
    table = '<geom type="box" size="9 9 0.02" pos="0 0 -0.02"/>'
    body = f'<body pos="0 0 0.05">{SIX}<geom type="sphere" size="0.035" mass="0.18"/></body>'
    for cone in ("elliptic", "pyramidal"):
        scene = Scene(table + body, cone=cone)
        for across, down in ((0.3, 1.0), (1.0, 1.0), (1.0, 0.3)):
            qvel = [across, 0, -down, 0, 0, 0]
            mine, theirs = (e.run(scene, idle(0.1), qvel=qvel)[-1, [0, 2, 4]] for e in (engine, TRUTH))
            off = np.abs(mine - theirs)
            name = f"{cone} cone, ball thrown at {across} m/s across, {down} down"
            report.add(f"strike_{cone}_{across}_{down}_mm", f"{name}: after 0.1 s", off[:2].max() * 1e3, "mm off", high=5)
            report.add(f"strike_{cone}_{across}_{down}_rad", f"  having turned (truth {theirs[2]:.2f})", off[2], "rad off", high=0.1)


def slide(report, engine):
    """A contact of dimension 1 has no friction, whatever the coefficients say."""
    table = '<geom type="box" size="2 2 0.02" pos="0 0 -0.02" condim="1"/>'
    scene = Scene(f'{table}<body pos="0 0 0.0305">{SIX}<geom type="box" size="0.03 0.03 0.03" mass="0.2" condim="1"/></body>')
    mine = engine.run(scene, idle(1.0), qvel=[0.5, 0, 0, 0, 0, 0])[-1, 0]
    report.add("smooth_m", "box on a frictionless table, 0.5 m/s for 1 s", mine, "m", low=0.49, high=0.501)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trace", help="the built `trace` example; by default cargo builds it")
    parser.add_argument("--set", nargs="*", default=[], help="physics options, KEY=VALUE")
    parser.add_argument("--json", type=pathlib.Path, help="also write the numbers here")
    parser.add_argument("--only", nargs="*", default=[], help="names of experiments")
    arguments = parser.parse_args()
    command = [arguments.trace] if arguments.trace else [
        "cargo", "run", "--quiet", "--release", "-p", "dextra-sim", "--example", "trace", "--"]
    os.chdir(ROOT)
    engines = {"ours": Started(command, arguments.set), "mujoco": Fine()}
    experiments = [pinch, nail, tumble, coupling, depth, strike, slide]
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
