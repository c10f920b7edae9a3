"""The door scene beside MuJoCo on the same file: servo steps, free swing, latch and door.

    cargo build --release -p dextra-sim --example trace
    python tests/reference/physics.py        (needs: pip install mujoco numpy)

Prints each measurement with its bar and exits with 1 when one is exceeded.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import mujoco
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENE = ROOT / "scenes" / "adroit_door.xml"
ARM, WRIST, HAND = slice(1, 4), slice(4, 6), slice(1, 28)
HINGE, LATCH = 28, 29
failed = False


def report(name, value, bar, unit):
    global failed
    failed |= not value <= bar
    print(f"{'ok  ' if value <= bar else 'FAIL'} {name}: {value:.3f} {unit} (bar {bar})")


def rms(errors):
    return 1e3 * float(np.sqrt(np.mean(np.square(errors))))


def variant(contacts=True, passive=False, motors=False, frame=None):
    """The scene with parts taken away or motors added to the door, as MuJoCo's editable form."""
    spec = mujoco.MjSpec.from_file(str(SCENE))
    if not contacts:
        for geom in spec.geoms:
            geom.contype = geom.conaffinity = 0
        for pair in list(spec.pairs):
            spec.delete(pair)
    if passive:
        for actuator in spec.actuators:
            actuator.gainprm[0] = actuator.biasprm[1] = 0
        for tendon in list(spec.tendons):
            spec.delete(tendon)
        for joint in spec.joints:
            joint.frictionloss, joint.limited = 0, 0
    if motors:
        for joint in ("door_hinge", "latch"):
            motor = spec.add_actuator()
            motor.name, motor.target = f"M_{joint}", joint
            motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
            motor.gainprm[0], motor.ctrllimited, motor.forcelimited = 1, 0, 0
    if frame is not None:
        spec.body("frame").pos = frame
    return spec


class Pair:
    """One scene in both engines."""

    def __init__(self, trace, folder, spec, split):
        self.trace, self.split = trace, split
        self.model = spec.compile()
        self.path = pathlib.Path(folder) / "scene.xml"
        self.path.write_text(spec.to_xml())

    def run(self, controls, qpos=None):
        """Positions after every timestep: ours, MuJoCo's."""
        lines = [] if qpos is None else ["qpos," + ",".join(map(repr, map(float, qpos)))]
        lines += [",".join(f"{u:.9g}" for u in row) for row in controls]
        done = subprocess.run(
            [self.trace, self.path, *self.split],
            input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
        )
        ours = np.array([[float(x) for x in row.split(",")] for row in done.stdout.split()])
        data = mujoco.MjData(self.model)
        if qpos is not None:
            data.qpos[:] = qpos
        theirs = []
        for row in controls:
            data.ctrl[:] = row
            mujoco.mj_step(self.model, data)
            theirs.append(data.qpos.copy())
        return ours, np.array(theirs)


def servo(pair):
    """Random targets every 0.2 s; the first 0.2 s are MuJoCo's own artefact of starting in limits."""
    rng = np.random.default_rng(0)
    low, high = pair.model.actuator_ctrlrange.T
    targets = low + (0.2 + 0.6 * rng.uniform(size=(10, low.size))) * (high - low)
    targets[:, :4] = (low + high)[:4] / 2 + rng.uniform(-0.1, 0.1, (10, 4))
    ours, theirs = pair.run(np.repeat(targets, 100, axis=0))
    error = (ours - theirs)[100:]
    report("servo, all joints", rms(error[:, HAND]), 3.0, "mrad rms")
    report("servo, wrist", rms(error[:, WRIST]), 3.0, "mrad rms")
    report("servo, arm slide", rms(error[:, 0]), 2.0, "mm rms")


def swing(pair):
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(4):
        ours, theirs = pair.run(np.zeros((250, pair.model.nu)), rng.uniform(-0.5, 0.5, 30))
        worst = max(worst, rms((ours - theirs)[-1, HAND]))
    report("free swing after 0.5 s", worst, 5.0, "mrad rms")


def door(pair):
    def end(hinge, latch, start=0.0, steps=500):
        controls = np.zeros((steps, pair.model.nu))
        controls[:, 0] = -0.1
        controls[:, -2:] = hinge, latch
        qpos = np.zeros(30)
        qpos[LATCH] = start
        ours, theirs = pair.run(controls, qpos)
        return ours[-1], theirs[-1]

    for torque in (10, 30):
        ours, theirs = end(torque, 0)
        error = 1e3 * abs(ours[HINGE] - theirs[HINGE])
        report(f"latch blocks the door at {ours[HINGE]:.4f} rad under {torque} N m", error, 2.0, "mrad")
    ours, theirs = end(10, 0, start=1.25)
    report("latch at 1.25 rad frees it", 1e3 * abs(ours[HINGE] - theirs[HINGE]), 5.0, "mrad")
    # Dry friction 5 N m and the handle's weight 0.62 N m.
    ours, theirs = end(0, 5.5)
    report("latch under 5.5 N m stays", abs(ours[LATCH]), 0.02, "rad")
    ours, theirs = end(0, 6.0)
    report("latch under 6 N m turns", 1e3 * abs(ours[LATCH] - theirs[LATCH]), 10.0, "mrad")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", default=ROOT / "target/release/examples/trace", type=pathlib.Path)
    trace = parser.parse_args().trace
    for split in ([], ["palm"]):
        print("split at " + split[0] if split else "one multibody")
        with tempfile.TemporaryDirectory() as folder:
            servo(Pair(trace, folder, variant(contacts=False), split))
            swing(Pair(trace, folder, variant(contacts=False, passive=True), split))
            door(Pair(trace, folder, variant(motors=True, frame=[-0.25, 0.3, 0.3]), split))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
