"""HDF5 files as h5py, D4RL, robomimic and Minari write and read them.

    python tests/reference/hdf5.py write DIR       files of the door as others write them: door-*.hdf5
    python tests/reference/hdf5.py read DIR        reads what Dextra wrote: d4rl.hdf5, robomimic.hdf5, minari
    python tests/reference/hdf5.py fixture FILE    the small file that Dextra's own tests read

Exits with 3 when h5py is missing.
"""

import json
import sys
from pathlib import Path

try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"h5py or numpy is missing: {error}")
    sys.exit(3)

OBS, ACTIONS = 39, 28
# Where the door's observation has its angle, and how far it is open.
HINGE, OPEN_RAD = 28, 1.4
LENGTHS = [50, 30, 40]


def episode(rng, steps: int, opens: bool):
    """Observations (one more than actions), actions, rewards."""
    obs = rng.uniform(-1, 1, (steps + 1, OBS))
    obs[:, HINGE] = 0.0
    if opens:
        obs[-15:, HINGE] = OPEN_RAD
    return obs, rng.uniform(-1.2, 1.2, (steps, ACTIONS)), rng.uniform(-1, 10, steps)


def write(root: Path) -> None:
    rng = np.random.default_rng(0)
    episodes = [episode(rng, steps, index != 1) for index, steps in enumerate(LENGTHS)]

    # As D4RL's hand_dapg conversion: float32, gzip, no last observation.
    with h5py.File(root / "door-d4rl.hdf5", "w") as file:
        def flat(name, rows):
            file.create_dataset(name, data=np.concatenate(rows), compression="gzip")

        flat("observations", [obs[:-1].astype(np.float32) for obs, _, _ in episodes])
        flat("actions", [actions.astype(np.float32) for _, actions, _ in episodes])
        flat("rewards", [rewards.astype(np.float32) for _, _, rewards in episodes])
        flat("terminals", [np.zeros(steps, dtype=bool) for steps in LENGTHS])
        flat("timeouts", [np.arange(steps) == steps - 1 for steps in LENGTHS])
        file["infos/qpos"] = np.zeros((sum(LENGTHS), 30))
        file.create_dataset("metadata/algorithm", data="hand_dapg")

    # As robomimic's convert_d4rl.py, with double precision, LZF and a newer format (what HDF5 2 calls the
    # latest is not read).
    with h5py.File(root / "door-robomimic.hdf5", "w", libver=("v110", "v114")) as file:
        data = file.create_group("data")
        for index, (obs, actions, rewards) in enumerate(episodes):
            demo = data.create_group(f"demo_{index}")
            demo.create_dataset("obs/flat", data=obs[:-1], compression="lzf")
            demo.create_dataset("next_obs/flat", data=obs[1:], compression="lzf")
            demo.create_dataset("actions", data=actions, chunks=(7, ACTIONS), shuffle=True, compression="gzip")
            demo.create_dataset("rewards", data=rewards)
            demo.create_dataset("dones", data=np.arange(len(rewards)) == len(rewards) - 1)
            demo.attrs["num_samples"] = len(rewards)
        data.attrs["total"] = sum(LENGTHS)
        data.attrs["env_args"] = json.dumps({"env_name": "door-v0", "env_type": 2, "env_kwargs": {}})
        file.create_dataset("mask/train", data=np.array(["demo_0", "demo_2"], dtype="S"))

    # As Minari's hdf5 storage.
    (root / "door-minari/data").mkdir(parents=True)
    with h5py.File(root / "door-minari/data/main_data.hdf5", "w", track_order=True) as file:
        for index, (obs, actions, rewards) in enumerate(episodes):
            group = file.create_group(f"episode_{index}")
            group.attrs["id"], group.attrs["seed"] = index, 100 + index
            group.attrs["total_steps"] = len(rewards)
            group["observations"], group["actions"], group["rewards"] = obs, actions, rewards
            group["terminations"] = np.arange(len(rewards)) == (len(rewards) - 1 if index == 2 else -1)
            group["truncations"] = np.arange(len(rewards)) == (len(rewards) - 1 if index != 2 else -1)
            group["infos/success"] = np.zeros(len(rewards) + 1, dtype=bool)
    metadata = {"total_episodes": 3, "total_steps": sum(LENGTHS), "data_format": "hdf5"}
    (root / "door-minari/data/metadata.json").write_text(json.dumps(metadata))
    print("written")


def read(root: Path) -> None:
    # The checks of d4rl's OfflineEnv.get_dataset.
    with h5py.File(root / "d4rl.hdf5", "r") as file:
        arrays = {}
        file.visititems(lambda name, item: arrays.update({name: item[:]}) if isinstance(item, h5py.Dataset) else None)
    for key in ["observations", "actions", "rewards", "terminals"]:
        assert key in arrays, f"Dataset is missing key {key}"
    count = arrays["observations"].shape[0]
    assert arrays["observations"].shape[1:] == (OBS,) and arrays["actions"].shape[1:] == (ACTIONS,)
    for key in ["rewards", "terminals", "timeouts"]:
        assert arrays[key].shape == (count,), key
    assert arrays["terminals"].dtype == bool and arrays["timeouts"].dtype == bool
    assert arrays["observations"].dtype == np.float32 and abs(arrays["actions"]).max() <= 1
    ends = arrays["terminals"] | arrays["timeouts"]
    assert ends[-1]
    inside = ~ends[:-1]
    assert (arrays["next_observations"][:-1][inside] == arrays["observations"][1:][inside]).all()
    assert len(arrays["infos/qpos"]) == count == len(arrays["infos/qvel"])
    print(f"d4rl: {ends.sum()} episodes, {count} steps")

    # What robomimic's SequenceDataset and env_utils look for.
    with h5py.File(root / "robomimic.hdf5", "r") as file:
        demos = sorted(file["data"].keys(), key=lambda name: int(name[5:]))
        environment = json.loads(file["data"].attrs["env_args"])
        assert {"env_name", "env_type", "env_kwargs"} <= environment.keys()
        total = 0
        for name in demos:
            demo = file[f"data/{name}"]
            steps = demo.attrs["num_samples"]
            for key in ["obs/flat", "next_obs/flat", "actions", "rewards", "dones", "states"]:
                assert demo[key].shape[0] == steps, key
            assert (demo["obs/flat"][1:] == demo["next_obs/flat"][:-1]).all()
            assert demo["dones"][-1] == 1
            total += steps
        assert file["data"].attrs["total"] == total == count
        chosen = [name.decode("utf-8") for name in np.array(file["mask/successful"][:])]
        assert set(chosen) <= set(demos)
        assert len(chosen) == sum(file[f"data/{name}"].attrs["success"] for name in demos)
    print(f"robomimic: {len(demos)} episodes, {total} steps")

    from minari import MinariDataset

    dataset = MinariDataset(root / "minari" / "data")
    steps = 0
    for item in dataset.iterate_episodes():
        assert item.observations.shape == (len(item.rewards) + 1, OBS)
        assert item.terminations.dtype == bool and bool(item.terminations[-1]) != bool(item.truncations[-1])
        steps += len(item.rewards)
    assert (len(dataset), steps) == (dataset.total_episodes, dataset.total_steps)
    print(f"minari: {len(dataset)} episodes, {steps} steps")


def fixture(path: Path) -> None:
    steps = np.arange(10.0)
    with h5py.File(path, "w", libver="earliest") as file:
        file.create_dataset("observations", data=steps[:, None] + np.arange(3) / 10, dtype="f4", chunks=(4, 3), compression="gzip")
        file["actions"] = (-steps[:, None] - np.arange(2) / 10).astype("f8")
        file["rewards"] = steps.astype("f4")
        file["terminals"] = np.zeros(10, dtype=bool)
        file["timeouts"] = np.isin(steps, [5, 9])


if __name__ == "__main__":
    {"write": write, "read": read, "fixture": fixture}[sys.argv[1]](Path(sys.argv[2]))
