#!/usr/bin/env bash
# Taking over in a real window: a virtual X server, a software Vulkan driver, real keys and clicks.
#
#   tests/takeover_e2e.sh [path/to/dextra] [folder to keep pictures and logs in]
#
# Takes a policy's rollout over by holding the key and by the button, drives it and gives it back; does the
# same to an environment of a running training and checks that the run's files tell of it; then lets a
# training learn from a dataset, from Record's button and from the menu.
# Skips, saying why, where the virtual display or the driver is missing.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
app="$(realpath "${1:-$(bash "$here/binary.sh")}")"
keep="${2:-}"
mkdir -p "${keep:-/tmp}"
out="$(realpath "$(mktemp -d "${keep:-/tmp}/dextra-takeover-XXXXXX")")"
. "$here/window/harness.sh"
export DEXTRA_SCENES="$here/../scenes" XDG_STATE_HOME="$out/state" XDG_CONFIG_HOME="$out/config"
# Datasets are looked for below the working folder.
cd "$out"
mkdir -p datasets && cp -r "$here/../assets/demonstrations/door" datasets/door

# of LINE COMMAND...: with the values of another line.
of() { local about="$1"; shift; "$@"; }
# Where the wrist target is along x, y or z (1, 2, 3), in millimetres.
target() { state target | cut -d, -f"$1" | awk '{ printf "%d", $1 * 1000 }'; }
beyond() { [ "$(target "$1")" -gt "$2" ] 2>/dev/null; }
shown() { grep -q "^WIDGET $1 " "$out/app.log"; }
rate_above_zero() { awk -F, 'NR > 1 && $NF > 0 { found = 1 } END { exit !found }' "$out/run/progress.csv"; }
rate_is_zero() { [ "$(tail -n 1 "$out/run/progress.csv" | awk -F, '{ print $NF + 0 }')" = 0 ]; }

about=RECORD
start --task door --out "$out/run" --set warmup_steps=400 --set eval_every_steps=1000000
of STATE until_true 20 "a trained hand moves" more_than frame 5
xdotool mousemove $(center view)
timeline="$(of STATE state timeline)"
xdotool keydown b; until_true 20 "holding B takes the rollout over" is held driven
z="$(target 3)"
xdotool keydown e; until_true 30 "E lifts the wrist" beyond 3 "$((z + 20))"
xdotool keyup e; key l; sleep 0.3
of STATE is timeline "$timeline" || fail "L opened the timeline while driving"
shot "$out/rollout.png"
xdotool keyup b; until_true 20 "letting go gives it back" is held none
is open false || fail "a recording was opened"
key l
other() { ! of STATE is timeline "$timeline"; }
until_true 20 "keys are the viewer's again" other
key l
click take_over; until_true 20 "the button takes it over" is held driven
key b; until_true 20 "and the key gives it back" is held none
click take_over; until_true 20 "the button takes it over again" is held driven
key Escape; until_true 20 "and Esc gives it back" is held none

click train
of STATE until_true 60 "the training learns" more_than updates 0
of STATE until_true 10 "its first environment is watched" is source actor1
xdotool mousemove $(center view)
xdotool keydown b; until_true 60 "holding B takes a training environment over" is held driven
z="$(target 3)"
xdotool keydown e; until_true 30 "E lifts the wrist" beyond 3 "$((z + 20))"
xdotool keyup e
key equal; key equal
steps="$(of STATE state steps)"
of STATE until_true 60 "the training goes on meanwhile" more_than steps "$((steps + 300))"
shot "$out/training.png"
xdotool keyup b; until_true 20 "letting go gives it back" is held none
steps="$(of STATE state steps)"
of STATE until_true 60 "the training goes on without" more_than steps "$((steps + 1000))"
grep -q '"event":"takeover"' "$out/run/events.jsonl" || fail "the takeover is not in the event log"
ok "the event log tells of $(grep -c '"event":"takeover"' "$out/run/events.jsonl") rounds driven by hand"
rate_above_zero || fail "no intervention rate in progress.csv"
until_true 20 "the rate is none again" rate_is_zero
shot "$out/charts.png"
click tab_memory; until_true 10 "the replay memory can be looked into" shown look
click look; until_true 20 "the replay memory is read" shown largest_bar
shot "$out/memory.png"

click stop; of STATE until_true 60 "the training ends" is stage finished
key ctrl+4; of STATE until_true 20 "the workspace Record" is workspace Record
click train_from_takes
of STATE until_true 20 "Record's button opens the workspace Train" is workspace Train
of STATE until_true 60 "and trains" more_than steps 1000
demos() { grep -qF "demonstrator = \"$2\"" "$out/$1/config.toml" && grep -q '^demonstrations = 25' "$out/$1/config.toml"; }
demos run-2 datasets/door || fail "run-2 does not learn from datasets/door"
ok "from the 25 takes"
shot "$out/from-takes.png"
click stop; of STATE until_true 60 "it ends" is stage finished
click teacher; until_true 20 "what is learnt from can be chosen" shown teacher_choice
sleep 2; shot "$out/teacher.png"
click teacher_choice; sleep 0.5
click train; of STATE until_true 60 "and is trained from" more_than steps 200
until_true 20 "with its run folder" test -s "$out/run-3/config.toml"
grep -q '^demonstrator = ".*demonstrations/door"' "$out/run-3/config.toml" || fail "run-3 learns from $(grep ^demonstrator "$out/run-3/config.toml")"
ok "the dataset that comes with Dextra was chosen"
key ctrl+4; key F1; until_true 20 "F1 in Record shows the keys that drive a hand" shown driving_keys
shot "$out/keys.png"
key F1
# Input to hand target: of the scripted presses above, in frames.
worst="$(grep -oE '^LATENCY frames=[0-9]+' "$out/app.log" | cut -d= -f2 | sort -n | tail -n 1)"
echo quit >&4
for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
kill -0 "$pid" 2>/dev/null && fail "the app did not quit"
wait "$pid"; code=$?
[ "$code" -eq 0 ] || fail "exit code $code"
[ -n "$worst" ] && [ "$worst" -le 2 ] || fail "a key took ${worst:-no} frames to the wrist target"
ok "every key was on the wrist target within $worst frames"
passed=1
echo "PASS in $(elapsed) s${keep:+; pictures in $out}"
