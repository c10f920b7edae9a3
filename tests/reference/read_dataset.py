"""Reads a dataset of Dextra's with the readers that others use, and checks what they find.

    python tests/reference/read_dataset.py DIR

With `lerobot` installed, LeRobotDataset itself loads it. `pandas` and `pyarrow` always read every file
and check LeRobotDataset v3's rules of the layout (lerobot 0.4.4). Exits with 3 when they are missing.
"""

import json
import os
import sys
from pathlib import Path


def check_layout(root: Path) -> tuple[int, int]:
    import numpy as np
    import pandas as pd

    info = json.loads((root / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    fps, features = info["fps"], info["features"]
    assert isinstance(fps, int) and fps > 0

    tasks = pd.read_parquet(root / "meta/tasks.parquet")
    assert tasks.index.name == "task" and list(tasks.columns) == ["task_index"], tasks
    assert len(tasks) == info["total_tasks"]

    episodes = pd.concat(
        [pd.read_parquet(path) for path in sorted((root / "meta/episodes").glob("*/*.parquet"))],
        ignore_index=True,
    )
    # Readers find episodes by row: a gap would misalign everything after it.
    assert list(episodes["episode_index"]) == list(range(info["total_episodes"]))
    end = 0
    for _, row in episodes.iterrows():
        assert row["dataset_from_index"] == end
        end = row["dataset_to_index"]
        assert row["length"] == end - row["dataset_from_index"]
        assert list(row["tasks"]) == list(tasks.index)
        path = root / info["data_path"].format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        data = pd.read_parquet(path)
        assert set(data.columns) == set(features), set(data.columns) ^ set(features)
        assert len(data) == row["length"]
        assert (data["episode_index"] == row["episode_index"]).all()
        assert list(data["index"]) == list(range(row["dataset_from_index"], end))
        assert list(data["frame_index"]) == list(range(len(data)))
        assert np.abs(data["timestamp"] - data["frame_index"] / fps).max() < 1e-5
        assert list(data["next.done"]) == [False] * (len(data) - 1) + [True]
        for name, feature in features.items():
            values = np.stack(data[name]) if feature["shape"] != [1] or name.startswith("sim.q") else data[name].to_numpy()
            assert str(values.dtype) == feature["dtype"], (name, values.dtype)
            width = 1 if values.ndim == 1 else values.shape[1]
            assert [width] == feature["shape"], (name, values.shape)
            mean = np.atleast_1d(values.astype(float).mean(axis=0))
            assert np.allclose(mean, row[f"stats/{name}/mean"], atol=1e-6), name
    assert end == info["total_frames"]
    stats = json.loads((root / "meta/stats.json").read_text())
    assert stats["action"]["count"] == [end]
    return len(episodes), end


def check_lerobot(root: Path, episodes: int, frames: int) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("local/dextra", root=root)
    assert (dataset.num_episodes, dataset.num_frames) == (episodes, frames)
    last = dataset[frames - 1]
    assert int(last["episode_index"]) == episodes - 1 and bool(last["next.done"])
    assert last["action"].shape == tuple(dataset.features["action"]["shape"])
    step = 1 / dataset.fps
    windows = {"action": [0.0, step, 2 * step], "observation.state": [-step, 0.0]}
    window = LeRobotDataset("local/dextra", root=root, delta_timestamps=windows)[3]
    assert window["action"].shape[0] == 3 and window["observation.state"].shape[0] == 2
    one = LeRobotDataset("local/dextra", root=root, episodes=[episodes - 1])
    assert one.num_episodes == 1 and int(one[0]["frame_index"]) == 0


def main() -> None:
    root = Path(sys.argv[1])
    try:
        import pandas  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        print(f"pandas or pyarrow is missing: {error}")
        sys.exit(3)
    episodes, frames = check_layout(root)
    print(f"pandas: {episodes} episodes, {frames} steps")
    try:
        import lerobot  # noqa: F401
    except ImportError:
        print("lerobot: not installed")
        return
    check_lerobot(root, episodes, frames)
    print(f"lerobot: {episodes} episodes, {frames} steps")


if __name__ == "__main__":
    main()
