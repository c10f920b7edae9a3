#!/usr/bin/env bash
# Kills a recording at random moments, again and again, and checks that every kept episode is there.
#
#   tests/kill_recording.sh [KILLS] [DEXTRA]     1000 kills of target/release/dextra
#
# A fixed seed draws the moments; where they fall in the program still differs from run to run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kills="${1:-1000}" dextra="${2:-target/release/dextra}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
RANDOM=1

count() { "$dextra" dataset info "$folder/set" --json 2>>"$folder/repairs" | sed 's/.*"total_episodes":\([0-9]*\).*/\1/'; }

kept=0
for ((kill = 1; kill <= kills; kill++)); do
  : >"$folder/told"
  "$dextra" record door --episodes 1000000 --out "$folder/set" 2>"$folder/told" >/dev/null &
  child=$!
  # Every other kill comes after the first episode was kept, however slow the machine is.
  while ((kill % 2 == 0)) && ! grep -q ' kept: ' "$folder/told"; do sleep 0.01; done
  moment_ms=$((RANDOM % 600))
  sleep "$((moment_ms / 1000)).$(printf '%03d' $((moment_ms % 1000)))"
  kill -KILL "$child"
  wait "$child" 2>/dev/null || true
  [ -e "$folder/set/meta/dextra.json" ] || continue
  told="$(grep -c ' kept: ' "$folder/told" || true)" now="$(count)"
  # One more may have been kept and not yet said.
  if [ "$now" -lt $((kept + told)) ] || [ "$now" -gt $((kept + told + 1)) ]; then
    echo "kill $kill: $kept episodes and $told more were kept, $now are there" >&2
    exit 1
  fi
  kept="$now"
done
"$dextra" dataset check "$folder/set" | tail -1
same="$("$dextra" replay "$folder/set" | grep -c 'the same to the bit' || true)"
if [ "$kept" -eq 0 ] || [ "$same" -ne "$kept" ]; then
  echo "$same of $kept episodes repeat to the bit" >&2
  exit 1
fi
echo "$kills kills, $(wc -l <"$folder/repairs") repairs: all $kept episodes open and repeat to the bit"
