#!/usr/bin/env bash
# How fast the window is, at 1280x720 on the software driver.
#
#   tests/window_speed.sh [path/to/dextra] [seconds for each measurement]
#
# Prints frames per second and the app's own work for each frame apart from drawing (median and 95th
# percentile): watching, scrubbing an episode of 200 steps, with shadows, in the sandbox; and how long it takes
# to open the charts of a run of 100,000 steps, one row of `progress.csv` for every step, which is 200 times as
# many as a training writes: the run is a real one of 1,000 steps, its rows repeated.
# Fails when the work of the median frame passes 4 ms or the charts take more than a second. On a machine
# that is shared, the numbers hold the others' share too; the load is printed beside them.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
app="$(realpath "${1:-$(bash "$here/binary.sh")}")"
seconds="${2:-8}"
keep=""
out="$(mktemp -d -t dextra-speed-XXXXXX)"
cd "$here/.."
export XDG_CONFIG_HOME="$out/config"
. "$here/window/harness.sh"

failed=0
# measure NAME: the frames of the next seconds.
measure() {
  echo times >&4; sleep 0.3
  local before; before="$(grep -c '^TIMES' "$out/app.log")"
  "${2:-wait_only}"
  echo times >&4
  told() { [ "$(grep -c '^TIMES' "$out/app.log")" -gt "$before" ]; }
  until_true 20 "$1" told >/dev/null
  local line; line="$(grep '^TIMES' "$out/app.log" | tail -n 1)"
  printf '%-44s %s\n' "$1" "${line#TIMES }"
  awk -v line="$line" 'BEGIN { match(line, /work_median_ms=[0-9.]+/); exit substr(line, RSTART + 15, RLENGTH - 15) > 4.0 }' ||
    { echo "  the work of the median frame passes 4 ms"; failed=1; }
}
wait_only() { sleep "$seconds"; }
scrub() {
  local end=$((SECONDS + seconds)) x
  while [ "$SECONDS" -lt "$end" ]; do
    for x in $(seq 540 30 880); do xdotool mousemove "$x" "$1"; sleep 0.02; done
  done
}

echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores"
"$app" train door --seed 0 --out "$out/runs/short" --set steps=1000 --set final_eval_episodes=1 >"$out/train.log" 2>&1 ||
  { echo "FAIL: no run"; tail -n 3 "$out/train.log"; exit 1; }
mkdir "$out/runs/long"
cp "$out/runs/short/config.toml" "$out/runs/long/"
python3 - "$out/runs/short/progress.csv" "$out/runs/long/progress.csv" <<'EOF'
import sys
head, *rows = open(sys.argv[1]).read().splitlines()
rows = [row.split(",", 3) for row in rows]
with open(sys.argv[2], "w") as out:
    print(head, file=out)
    for step in range(1, 100_001):
        print(step, step // 4, round(step / 300, 3), rows[step % len(rows)][3], sep=",", file=out)
EOF
rm -r "$out/runs/short"

start --max-fps 1000 --out "$out/runs/none"
until_true 20 "an episode is on the tape" more_than episode 1 >/dev/null
measure "watching a policy"
read -r x y < <(center scrub)
click scrub; sleep 0.5
xdotool mousedown 1
at_slider() { scrub "$y"; }
measure "scrubbing its episode" at_slider
xdotool mouseup 1
key End; xdotool mousemove 620 300; sleep 0.5
key s; sleep 3
measure "watching with shadows"
key s; sleep 1
key ctrl+3; until_true 10 "the workspace Analyse" is workspace Analyse >/dev/null
until_true 10 "the run is listed" grep -q '^WIDGET first_run' "$out/app.log" >/dev/null
xdotool mousemove $(center first_run); sleep 0.5
begun="$(date +%s.%N)"
xdotool click 1
until_true 60 "its charts" is open 1 >/dev/null
awk -v a="$begun" -v b="$(date +%s.%N)" 'BEGIN { printf "%-44s %.2f s\n", "opening 100,000 steps, to the charts", b - a; exit b - a > 1.0 }' ||
  { echo "  that is more than a second"; failed=1; }
measure "its charts open"
passed=1
exit $failed
