#!/usr/bin/env python3
"""Speed of the original: MuJoCo's mj_step and gymnasium-robotics' AdroitHandDoor-v1, one core.

Two regimes: uniform random actions in free space, and the hand on the handle (the actions of a
policy in DAPG's .npz layout, recorded beforehand, so that the policy's own time does not count).
Everything per second of this process's CPU time. Prints one JSON object.

    taskset -c 0 python tests/reference/bench_gymnasium.py --policy dapg_door_policy.npz
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import statistics
import time
import warnings

import gymnasium
import gymnasium_robotics
import mujoco
import numpy as np

EPISODE = 200


class NpzPolicy:
    """Mean action of a two-layer tanh network with input and output scaling."""

    def __init__(self, path):
        self.p = dict(np.load(path))

    def __call__(self, observation):
        p = self.p
        x = (observation - p["in_shift"]) / (p["in_scale"] + 1e-8)
        x = np.tanh(p["W0"] @ x + p["b0"])
        x = np.tanh(p["W1"] @ x + p["b1"])
        return (p["W2"] @ x + p["b2"]) * p["out_scale"] + p["out_shift"]


def record(env, policy, episodes, rng):
    """Actions of each episode, by seed; random ones without a policy. Also the share of successes."""
    episodes_actions, successes = [], 0
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        actions, successful_steps = [], 0
        for _ in range(EPISODE):
            action = rng.uniform(-1, 1, 28) if policy is None else np.clip(policy(observation), -1, 1)
            action = action.astype(np.float32)
            observation, _, _, _, info = env.step(action)
            successful_steps += bool(info["success"])
            actions.append(action)
        episodes_actions.append(actions)
        successes += successful_steps > 25
    return episodes_actions, successes / episodes


def env_rate(env, episodes):
    """Environment steps per CPU second, resets not counted."""
    spent = steps = 0
    for seed, actions in enumerate(episodes):
        env.reset(seed=seed)
        start = time.process_time()
        for action in actions:
            env.step(action)
        spent += time.process_time() - start
        steps += len(actions)
    return steps / spent


def raw_rate(env, episodes):
    """mj_step calls per CPU second under the same controls, and mean contacts at control steps."""
    inner = env.unwrapped
    spent = steps = contacts = 0
    for seed, actions in enumerate(episodes):
        env.reset(seed=seed)
        model, data = inner.model, inner.data
        controls = [inner.act_mean + a.astype(float) * inner.act_rng for a in actions]
        step = mujoco.mj_step
        start = time.process_time()
        for control in controls:
            data.ctrl[:] = control
            step(model, data, nstep=5)
            contacts += data.ncon
        spent += time.process_time() - start
        steps += 5 * len(controls)
    return steps / spent, contacts / (steps / 5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--policy", help=".npz policy of the contact regime; without it, only random")
    parser.add_argument("--episodes", type=int, default=30, help="episodes per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements; the median is printed")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    gymnasium.register_envs(gymnasium_robotics)
    env = gymnasium.make("AdroitHandDoor-v1", max_episode_steps=EPISODE + 1)
    result = {"task": "door", "mujoco": mujoco.__version__, "episodes": arguments.episodes}
    regimes = {"random": None}
    if arguments.policy:
        regimes["contact"] = NpzPolicy(arguments.policy)
    for name, policy in regimes.items():
        episodes, success = record(env, policy, arguments.episodes, np.random.default_rng(0))
        raw = [raw_rate(env, episodes) for _ in range(arguments.rounds)]
        api = [env_rate(env, episodes) for _ in range(arguments.rounds)]
        result[name] = {
            "physics_steps_per_cpu_sec": round(statistics.median(r for r, _ in raw)),
            "env_steps_per_cpu_sec": round(statistics.median(api)),
            "contacts_mean": round(raw[0][1], 2),
            "success_rate": success,
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
