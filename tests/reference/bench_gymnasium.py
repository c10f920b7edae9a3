#!/usr/bin/env python3
"""Speed of the originals: MuJoCo's mj_step and gymnasium-robotics' AdroitHand*-v1, one core.

Two regimes: uniform random actions, and the hand at work (the actions of a policy in DAPG's .npz layout
or of a policy.safetensors of ours, recorded beforehand, so that the policy's own time does not count).
Everything per second of this process's CPU time. Prints one JSON object.

    taskset -c 0 python tests/reference/bench_gymnasium.py --task hammer --policy POLICY
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

from transfer import TASKS, load

EPISODE = 200


def record(env, policy, episodes, rng):
    """Actions of each episode, by seed; random ones without a policy. Also the share of successes."""
    episodes_actions, successes = [], 0
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        actions, successful_steps = [], 0
        for _ in range(EPISODE):
            if policy is None:
                action = rng.uniform(-1, 1, env.action_space.shape)
            else:
                action = np.clip(policy.act(observation.astype(np.float32)), -1, 1)
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
    parser.add_argument("--task", default="door", choices=TASKS)
    parser.add_argument("--policy", help="policy of the contact regime; without it, only random")
    parser.add_argument("--episodes", type=int, default=30, help="episodes per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements; the median is printed")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    gymnasium.register_envs(gymnasium_robotics)
    env = gymnasium.make(f"AdroitHand{arguments.task.capitalize()}-v1", max_episode_steps=EPISODE + 1)
    result = {"task": arguments.task, "mujoco": mujoco.__version__, "episodes": arguments.episodes}
    regimes = {"random": None}
    if arguments.policy:
        regimes["contact"] = load(arguments.policy)
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
