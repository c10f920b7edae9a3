#!/usr/bin/env bash
# What the open window costs the training: environment steps/s with the window drawing at 10 frames/s by
# the software driver, beside the same training without a window.
#
#   tests/window_rate.sh [path/to/dextra] [pairs]
#
# Runs take turns, so that whatever else the machine does falls on both alike. The rate of a run is over
# its second half, from progress.csv. Prints each rate and the ratio of the means; the bar is 0.70.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
app="$(realpath "${1:-$(bash "$here/binary.sh")}")"
pairs="${2:-3}"
steps=6000
out="$(mktemp -d -t dextra-rate-XXXXXX)"
cd "$here/.."
driver="$(ls /usr/share/vulkan/icd.d/lvp_icd*.json 2>/dev/null | head -n 1)"
{ command -v Xvfb >/dev/null && [ -n "$driver" ]; } || { echo "SKIPPED: needs xvfb and mesa-vulkan-drivers"; exit 0; }
export VK_ICD_FILENAMES="$driver"

exec 3>"$out/display"
Xvfb -displayfd 3 -screen 0 1280x720x24 -nolisten tcp >"$out/xvfb.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$out"' EXIT
for _ in $(seq 100); do [ -s "$out/display" ] && break; sleep 0.1; done
DISPLAY=":$(tr -d '[:space:]' <"$out/display")"
export DISPLAY

settings=(--set "steps=$((2 * steps))" --set warmup_steps=1000 --set eval_every_steps=100000000
          --set checkpoint_every_secs=100000 --seed 0)
# Environment steps/s between the middle and the end of what progress.csv holds.
rate() {
  awk -F, -v until="$steps" 'NR > 1 && $1 <= until { n++; s[n] = $1; w[n] = $3 }
    END { m = int(n / 2); printf "%.1f", (s[n] - s[m]) / (w[n] - w[m]) }' "$1/progress.csv"
}
# Lets a training run until it has made its steps, then ends it.
until_done() {
  local pid=$1 run=$2
  while kill -0 "$pid" 2>/dev/null; do
    made="$(tail -n 1 "$run/progress.csv" 2>/dev/null | cut -d, -f1)" || true
    case "$made" in ''|*[!0-9]*) ;; *) [ "$made" -ge "$steps" ] && break ;; esac
    sleep 0.5
  done
  kill -INT "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

headless=() window=()
for i in $(seq "$pairs"); do
  "$app" train door --out "$out/headless$i" "${settings[@]}" >"$out/log" 2>&1 & until_done $! "$out/headless$i"
  headless+=("$(rate "$out/headless$i")")
  "$app" --train --max-fps 10 --out "$out/window$i" "${settings[@]}" >"$out/log" 2>&1 & until_done $! "$out/window$i"
  window+=("$(rate "$out/window$i")")
  echo "pair $i: headless ${headless[-1]} env steps/s, window at 10 frames/s ${window[-1]} env steps/s"
done
printf '%s\n' "${headless[*]}" "${window[*]}" |
  awk '{ for (i = 1; i <= NF; i++) sum[NR] += $i / NF }
       END { printf "headless %.1f, window %.1f env steps/s, ratio %.2f (bar 0.70)\n", sum[1], sum[2], sum[2] / sum[1]; exit sum[2] / sum[1] < 0.70 }'
