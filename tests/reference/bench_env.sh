#!/usr/bin/env bash
# Our speed beside MuJoCo's, on one core, measured in turn so that a busy machine hurts both alike. A
# busy machine only ever slows: the best rounds of both tell most about the programs.
#
#   tests/reference/bench_env.sh TASK [POLICY] [ROUNDS]
#
# POLICY (DAPG's .npz layout, or a policy.safetensors) adds the regime in which the hand is at work.
# Needs a release build of `dextra`, and DEXTRA_PYTHON (default ~/.cache/dextra-python/bin/python) with
# MuJoCo and gymnasium-robotics. All rates are per second of CPU time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

task="${1:?usage: tests/reference/bench_env.sh TASK [POLICY] [ROUNDS]}"
policy="${2:-}"
rounds="${3:-3}"
python="${DEXTRA_PYTHON:-$HOME/.cache/dextra-python/bin/python}"
dextra="$(bash tests/binary.sh)"
[ -x "$dextra" ] || { echo "no $dextra: run cargo build --release first" >&2; exit 1; }

flags=(--task "$task")
[ -z "$policy" ] || flags+=(--policy "$policy")
results="$(mktemp -d)"
trap 'rm -r "$results"' EXIT
for ((round = 0; round < rounds; round++)); do
  echo "round $((round + 1)) of $rounds" >&2
  taskset -c 0 "$dextra" bench --seconds 3 --json "${flags[@]}" >"$results/ours.$round.json"
  taskset -c 0 "$python" tests/reference/bench_gymnasium.py --rounds 1 "${flags[@]}" >"$results/theirs.$round.json" 2>/dev/null
done

"$python" - "$results" "$rounds" <<'PYTHON'
import json
import pathlib
import statistics
import sys

folder, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])


def load(name, round):
    """The last line that is JSON: progress may precede it."""
    lines = (folder / f"{name}.{round}.json").read_text().strip().splitlines()
    text = "\n".join(lines)
    return json.loads(text if text.startswith("{") else lines[-1])


ours = [load("ours", r) for r in range(rounds)]
theirs = [load("theirs", r) for r in range(rounds)]
print(f"{'per CPU second, ' + str(rounds) + ' rounds':<30} {'dextra':>7} {'MuJoCo':>7} {'ratio':>6}   {'best':>7} {'best':>7} {'ratio':>6}  ratio by round")
for regime in ("random", "contact"):
    if regime not in ours[0] or regime not in theirs[0]:
        continue
    for key, what in (("physics_steps_per_cpu_sec", "physics steps"), ("env_steps_per_cpu_sec", "environment steps")):
        a, b = [o[regime][key] for o in ours], [t[regime][key] for t in theirs]
        ratios = [x / y for x, y in zip(a, b)]
        print(f"{regime + ', ' + what:<30} {statistics.median(a):7.0f} {statistics.median(b):7.0f} {statistics.median(ratios):6.2f}"
              f"   {max(a):7.0f} {max(b):7.0f} {max(a) / max(b):6.2f}  {', '.join(f'{r:.2f}' for r in ratios)}")
PYTHON
