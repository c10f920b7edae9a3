"""What the JAX and PyTorch forms of the update share: the exported inputs, the check of the results
against ours, and the measurement. The mathematics is crates/dextra-learn/src/req.rs."""
import json
import struct
import sys
import time
from pathlib import Path

import numpy as np

OBS, ACTIONS, SAMPLES, HIDDEN, CRITICS = 39, 28, 20, 256, 2
NEWTON_STEPS = 12


def read_safetensors(path):
    data = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    dtypes = {"F32": np.float32, "F64": np.float64, "U64": np.uint64, "U8": np.uint8}
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            raw = data[8 + size + start : 8 + size + end]
            out[name] = np.frombuffer(raw, dtypes[entry["dtype"]]).reshape(entry["shape"]).copy()
    return out


def unpack(flat, inputs, outputs):
    """A network's named parts from the start of a flat slice, and the slice's padded length."""
    h = HIDDEN
    sizes = [("w1", (inputs, h)), ("b1", (h,)), ("gain", (h,)), ("shift", (h,)), ("w2", (h, h)), ("b2", (h,)),
             ("w3", (h, h)), ("b3", (h,)), ("w4", (h, outputs)), ("b4", (outputs,))]
    parts, at = {}, 0
    for name, shape in sizes:
        n = int(np.prod(shape))
        parts[name] = flat[at : at + n].reshape(shape)
        at += n
    return parts, (at + 15) // 16 * 16


class Inputs:
    def __init__(self, folder):
        folder = Path(folder)
        expected = json.loads((folder / "expected.json").read_text())
        self.config, self.expected = expected["config"], expected["updates"]
        learner = read_safetensors(folder / "learner.safetensors")
        self.log_multipliers = learner["trust_region.log_multipliers"]
        flat, self.critics = learner["parameters"], []
        for _ in range(CRITICS):
            parts, n = unpack(flat, OBS + ACTIONS, 1)
            self.critics.append(parts)
            flat = flat[n:]
        self.prior, _ = unpack(flat, OBS, 2 * ACTIONS)
        b = read_safetensors(folder / "batch.safetensors")
        rows = len(b["obs"])
        # The states at which V is needed, and which of them is each row's s'.
        shared = b["next_row"][:, 0].astype(np.int64)
        if not self.config["share_values"]:
            shared[:] = -1
        own = shared < 0
        next_index = shared.copy()
        next_index[own] = rows + np.arange(own.sum())
        self.next_index = next_index
        self.states = np.concatenate([b["obs"], b["next_obs"][own]])
        self.noise = b["noise"].reshape(len(self.states), SAMPLES, ACTIONS)
        self.batch = {k: b[k] for k in ("obs", "action", "expert_action")}
        self.batch |= {k: b[k][:, 0] for k in ("expert_mask", "reward", "discount")}

    def compare(self, name, updates):
        """`updates`: a dict per update, with the names of our metrics."""
        worst, where = 0.0, ""
        for i, (ours, theirs) in enumerate(zip(self.expected, updates, strict=True)):
            for key, value in theirs.items():
                error = abs(value - ours[key]) / max(abs(ours[key]), 1e-3)
                if error >= worst:
                    worst, where = error, f"{key} of update {i + 1}: {ours[key]:.6g} and {value:.6g}"
        print(f"AGREE {name} {worst:.2e}  (largest relative difference over {len(updates)} updates; {where})")
        if not worst < 1e-2:
            sys.exit(f"{name} and the Rust update do not compute the same")


def measure(step, seconds):
    """Prints the median over half-second windows of the processor time per update."""
    for _ in range(5):
        step()
    begin, windows = time.perf_counter(), []
    while time.perf_counter() - begin < seconds:
        window, cpu, n = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - window < 0.5:
            step()
            n += 1
        windows.append(1e3 * (time.process_time() - cpu) / n)
    print(f"RESULT {sorted(windows)[len(windows) // 2]:.3f}")
