"""Loads a dataset that Dextra exported for Minari with Minari itself (0.5.4).

    python tests/reference/read_minari.py DIR

Exits with 3 when Minari or pyarrow is missing.
"""

import sys
from pathlib import Path

try:
    import pyarrow  # noqa: F401
    from minari import MinariDataset
except ImportError as error:
    print(f"minari or pyarrow is missing: {error}")
    sys.exit(3)

dataset = MinariDataset(Path(sys.argv[1]) / "data")
steps = 0
for episode in dataset.iterate_episodes():
    length = len(episode.rewards)
    assert episode.observations.shape == (length + 1, *dataset.observation_space.shape)
    assert episode.actions.shape == (length, *dataset.action_space.shape)
    assert abs(episode.actions).max() <= 1
    assert bool(episode.terminations[-1]) != bool(episode.truncations[-1])
    assert not episode.terminations[:-1].any() and not episode.truncations[:-1].any()
    steps += length
assert (len(dataset), steps) == (dataset.total_episodes, dataset.total_steps)
print(f"minari: {len(dataset)} episodes, {steps} steps")
