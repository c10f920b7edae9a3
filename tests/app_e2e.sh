#!/usr/bin/env bash
# The app in a real window: a virtual X server, a software Vulkan driver, real keys and clicks.
#
#   tests/app_e2e.sh [path/to/dextra] [folder to keep pictures and logs in]
#
# Starts the binary and checks that it shows a moving hand, that the Train button trains, that Space
# pauses and continues, that panels, camera and sources answer, that an episode can be scrubbed and saved as a
# video, that every
# workspace opens, that an edit of the learning rate lands in the event log, that a transition of the replay
# memory can be seen again, and that closing the window in the middle of a training leaves a checkpoint. Skips, saying why, where the virtual display or the driver is missing.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
app="$(realpath "${1:-$(bash "$here/binary.sh")}")"
keep="${2:-}"
mkdir -p "${keep:-/tmp}"
out="$(mktemp -d "${keep:-/tmp}/dextra-e2e-XXXXXX")"
cd "$here/.."

# Workspaces as they are at first, whatever the person at this machine has made of theirs.
export XDG_CONFIG_HOME="$out/config"
. "$here/window/harness.sh"
shown() { grep -q "^WIDGET $1 " "$out/app.log"; }
scene() { convert "$1" -crop 700x400+280+90 +repage "$2"; }

# Short episodes of training: the learner begins early, evaluations stay out of the way.
start --out "$out/run" --set warmup_steps=400 --set eval_every_steps=1000000
until_true 20 "a trained hand moves" more_than frame 5
is source policy || fail "the app does not open on the trained policy"

shot "$out/first.png"
colors="$(identify -format '%k' "$out/first.png")"
[ "$colors" -gt 500 ] || fail "the picture is blank: $colors colours"
ok "the picture has $colors colours"
key Return; sleep 1
shot "$out/second.png"
scene "$out/first.png" "$out/first-scene.png"; scene "$out/second.png" "$out/second-scene.png"
differing="$(compare -metric AE "$out/first-scene.png" "$out/second-scene.png" null: 2>&1 | grep -oE '^[0-9.e+]+' | awk '{ printf "%d", $1 }')"
[ "$differing" -gt 2000 ] || fail "the hand did not move: $differing pixels differ"
ok "the hand moved: $differing pixels differ"

xdotool mousemove 620 300
key space; until_true 10 "Space pauses the rollout" is rollout_paused true
until_still 10 "it stands still" frame
paused_at="$(state frame)"
key Right; until_true 10 "one step" is frame "$((paused_at % 200 + 1))"
key space; until_true 10 "Space continues the rollout" is rollout_paused false

# One cursor: clicks, the slider and keys move it, and the scene shows what it stands on.
click reward_strip
scrubbed() { [ "$(state cursor)" != live ]; }
until_true 10 "a click on the timeline stops at a recorded step" scrubbed
until_true 10 "the rollout does not play on beneath the cursor" is rollout_paused true
at="$(state cursor)"
key Left; until_true 10 "Left goes back one recorded step" is cursor "$((at - 1))"
shot "$out/scrub-a.png"
xdotool mousemove $(center scrub) sleep 0.3 mousedown 1 sleep 0.3 mousemove_relative -- -140 0 sleep 0.4 mouseup 1
earlier() { [ "$(state cursor)" -lt "$((at - 5))" ] 2>/dev/null; }
until_true 10 "the slider scrubs" earlier
shot "$out/scrub-b.png"
scene "$out/scrub-a.png" "$out/scrub-a-scene.png"; scene "$out/scrub-b.png" "$out/scrub-b-scene.png"
differing="$(compare -metric AE "$out/scrub-a-scene.png" "$out/scrub-b-scene.png" null: 2>&1 | grep -oE '^[0-9.e+]+' | awk '{ printf "%d", $1 }')"
[ "$differing" -gt 500 ] || fail "the scene did not follow the cursor: $differing pixels differ"
ok "the scene followed the cursor: $differing pixels differ"
key End; until_true 10 "End goes back to what plays" is cursor live
until_true 10 "and it plays" is rollout_paused false
# A video of the episode, drawn beside the window; a second one is given up.
videos() { find . -maxdepth 1 -name 'dextra-*' -newer "$out/before-video"; }
touch "$out/before-video"; sleep 0.1
key ctrl+m; until_true 30 "Ctrl+M draws a video" is video rolling
until_true 120 "the video is written" is video idle
video="$(videos | head -n 1)"
[ -n "$video" ] && [ "$(stat -c %s "$video")" -gt 10000 ] || fail "there is no video"
ok "the video holds $(stat -c %s "$video") bytes: $video"
mv "$video" "$out/"
touch "$out/before-video"; sleep 0.1
click video; until_true 30 "a click draws another" is video rolling
until_true 10 "it can be given up" shown give_up_video
click give_up_video; until_true 30 "it is given up" is video idle
[ -z "$(videos)" ] || fail "the video that was given up is there: $(videos)"
xdotool mousemove 620 300
key equal; until_true 10 "a key plays faster" is speed 1.50
key F1; until_true 10 "F1 shows the keys" is help true
key F1; until_true 10 "F1 hides the keys" is help false
key Tab; until_true 10 "Tab hides the left panel" is left false
key Tab; until_true 10 "Tab shows the left panel" is left true

yaw="$(state yaw)"
# Relative moves: an absolute one warps the pointer and is no motion of the mouse.
xdotool mousemove 620 300 sleep 0.3 mousedown 1 sleep 0.3 mousemove_relative -- 120 20 sleep 0.3 mouseup 1
turned() { [ "$(state yaw)" != "$yaw" ]; }
until_true 10 "a drag turns the view" turned
radius="$(state radius)"
xdotool mousemove 1140 300 sleep 0.3 click --repeat 3 --delay 60 4
sleep 0.7
is radius "$radius" || fail "the wheel over the charts zoomed the scene"
xdotool mousemove 620 300 sleep 0.3 click --repeat 3 --delay 60 4
zoomed() { [ "$(state radius)" != "$radius" ]; }
until_true 10 "the wheel zooms over the scene" zoomed

click expert; until_true 10 "the expert can be watched" is source expert
click train
until_true 40 "the Train button trains" more_than steps 0
until_true 10 "the view follows a training environment" is source actor1
steps="$(state steps)"
until_true 40 "steps grow" more_than steps "$((steps + 400))"
until_true 40 "the learner updates" more_than updates 0
click actor2; until_true 10 "another training environment" is source actor2
xdotool mousemove 620 300
click workspace_train; until_true 10 "the workspace Train opens by a click" is workspace Train
until_true 10 "with the learner's numbers" shown learning_rate
click train; until_true 20 "a click pauses the learner" is stage paused
click learning_rate; sleep 0.5
xdotool type --delay 40 0.0005; key Return
until_true 15 "the learning rate is edited" is learning_rate 0.0005
grep -q '"event":"edit".*"key":"learn.learning_rate".*"new":0.0005' "$out/run/events.jsonl" ||
  fail "the edit is not in the event log"
ok "the edit is in the event log: $(grep -oE '"new":[^,]*,"old":[^,]*' "$out/run/events.jsonl" | tail -n 1)"
shot "$out/workspace-train.png"
xdotool mousemove 620 300
steps="$(state steps)"
key ctrl+Right; until_true 20 "Ctrl+Right makes one round" more_than steps "$steps"
until_true 20 "and no more" is stage paused
key ctrl+z; until_true 15 "Ctrl+Z takes the edit back" is learning_rate 0.001
click checkpoint; until_true 20 "a checkpoint is written" grep -q '"event":"checkpoint"' "$out/run/events.jsonl"
click train; until_true 20 "a click continues the learner" is stage running
key ctrl+k; until_true 10 "Ctrl+K opens the command palette" is palette true
xdotool type --delay 40 "workspace analyse"; sleep 0.5; key Return
until_true 10 "a command of the palette opens the workspace Analyse" is workspace Analyse
until_true 20 "the run's charts are open" is open 1
shot "$out/workspace-analyse.png"
key ctrl+1; until_true 10 "Ctrl+1 opens the workspace Watch" is workspace Watch

# A transition of the replay memory is shown where it happened, and somebody goes on from there.
click tab_memory; until_true 10 "the replay memory can be looked into" shown look
click look; until_true 20 "the replay memory is read" shown largest_bar
click largest_bar; until_true 10 "a bar lists its transitions" shown first_transition
click first_transition
until_true 15 "a click on one shows it in the rollout" is source policy
until_true 10 "which stays there" is rollout_paused true
until_true 10 "at its step" more_than frame 0
shot "$out/memory.png"
at="$(state frame)"
moved_on() { ! is frame "$at"; }
xdotool mousemove 620 300
key space; until_true 10 "Space goes on from there" moved_on
click tab_charts
click actor2; until_true 10 "and back to the training environment" is source actor2
xdotool mousemove 620 300
key space; until_true 20 "Space pauses the learner" is stage paused
until_still 20 "steps stand still" steps
steps="$(state steps)"
key space; until_true 30 "Space continues the learner" more_than steps "$steps"
click policy; until_true 10 "the newest policy can be watched" is source policy
shot "$out/training.png"

python3 "$here/window/close.py" "$window" || fail "cannot ask the window to close"
for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
kill -0 "$pid" 2>/dev/null && fail "the window did not close"
wait "$pid"; code=$?
[ "$code" -eq 0 ] || fail "exit code $code"
ls "$out"/run/checkpoints/*/manifest.json >/dev/null 2>&1 || fail "no checkpoint in $out/run"
ok "closing the window wrote $(ls "$out/run/checkpoints" | tail -n 1)"
passed=1
echo "PASS in $(elapsed) s${keep:+; pictures in $out}"
