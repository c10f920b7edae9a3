#!/usr/bin/env bash
# Recording by hand in a real window: a virtual X server, a software Vulkan driver, real keys and clicks.
#
#   tests/record_e2e.sh [path/to/dextra] [folder to keep pictures and logs in]
#
# Takes the hand, checks that keys and mouse move it and that no key of the viewer fires meanwhile, pauses,
# rewinds and goes on, keeps a take, takes it back, keeps another, discards, begins again, gives control
# back and takes it again; then browses a dataset: plays, scrubs, trims, deletes and takes both back, to the
# byte; then replays what was recorded, to the bit. Every input is waited for by what it does.
# Skips, saying why, where the virtual display or the driver is missing.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
app="$(realpath "${1:-$(bash "$here/binary.sh")}")"
keep="${2:-}"
mkdir -p "${keep:-/tmp}"
out="$(realpath "$(mktemp -d "${keep:-/tmp}/dextra-record-XXXXXX")")"
. "$here/window/harness.sh"
export DEXTRA_SCENES="$here/../scenes" XDG_STATE_HOME="$out/state" XDG_CONFIG_HOME="$out/config"
# Datasets are kept below the working folder.
cd "$out"

# of LINE COMMAND...: with the values of another line.
of() { local about="$1"; shift; "$@"; }
# Where the wrist target is along x, y or z (1, 2, 3), in millimetres.
target() { state target | cut -d, -f"$1" | awk '{ printf "%d", $1 * 1000 }'; }
beyond() { [ "$(target "$1")" -gt "$2" ] 2>/dev/null; }
short_of() { [ "$(target "$1")" -lt "$2" ] 2>/dev/null; }
fewer_than() { [ "$(state "$1")" -lt "$2" ] 2>/dev/null; }

about=RECORD
start --task door
until_true 20 "nothing is recorded" is open false
key ctrl+4; until_true 20 "the workspace Record" of STATE is workspace Record
shot "$out/before.png"
click drive
until_true 20 "a click takes the hand" is driving true
until_true 60 "the take counts down" is phase countdown
until_true 60 "and begins" is phase driving

shadows="$(of STATE state shadows)"; timeline="$(of STATE state timeline)"; yaw="$(of STATE state yaw)"
y="$(target 2)"
xdotool keydown w; until_true 30 "W moves the wrist away" beyond 2 "$((y + 20))"
xdotool keyup w
z="$(target 3)"
xdotool keydown e; until_true 30 "E lifts it" beyond 3 "$((z + 20))"
xdotool keyup e
shot "$out/driving.png"
key f; until_true 20 "F drives single fingers" is finger 0
key 2; until_true 20 "2 chooses the index finger" is finger 1
key f; until_true 20 "F drives the whole hand again" is finger none
key m; until_true 20 "M is the magnet" is magnet true
key m; until_true 20 "and again not" is magnet false
key l; key s; key c
key n; until_true 20 "N mirrors, and was pressed after L, S and C" is mirror true
key n; until_true 20 "and again not" is mirror false
of STATE is timeline "$timeline" || fail "L opened the timeline while driving"
of STATE is shadows "$shadows" || fail "S switched shadows while driving"
ok "no key of the viewer fires"

xdotool mousemove $(center view) sleep 0.3
x="$(target 1)"
xdotool mousedown 1 sleep 0.3 mousemove_relative -- 40 0 sleep 0.3 mousemove_relative -- 40 0
moved() { [ "$(target 1)" != "$x" ]; }
until_true 30 "the mouse moves the wrist" moved
xdotool mouseup 1
of STATE is yaw "$yaw" || fail "the mouse turned the view while driving"

key space; until_true 20 "Space pauses" is phase paused
key space; until_true 20 "and goes on" is phase driving
key equal; until_true 20 "= is faster" is speed 0.25
key equal; until_true 20 "and faster" is speed 0.5
until_true 120 "the take has steps" more_than steps 500
key minus; until_true 20 "- is slower" is speed 0.25
xdotool keydown Left; until_true 30 "Left runs back" is phase rewinding
# It runs back 100 steps a second: there is time to let go before the begin.
until_true 30 "as long as it is held" fewer_than steps 450
xdotool keyup Left; until_true 30 "and on from there" is phase driving
until_true 20 "the take is spliced" is splices 1
until_true 20 "the old take is a ghost" is ghost true
shot "$out/spliced.png"

key Return; until_true 30 "Enter keeps it" is kept 1
until_true 20 "the next episode counts down" is seed 1
is episodes 1 || fail "the dataset has $(state episodes) episodes"
key BackSpace; until_true 30 "Backspace takes it back" is kept 0
until_true 20 "its episode begins again" is seed 0
until_true 60 "and is driven" is phase driving
xdotool keydown q; until_true 60 "it has steps" more_than steps 20
xdotool keyup q
key Return; until_true 30 "Enter keeps this one" is kept 1
until_true 60 "the next is driven" is phase driving
key r; until_true 30 "R begins it again" is discarded 1
until_true 60 "and it is driven" is phase driving
key Delete; until_true 30 "Delete throws it away" is discarded 2
until_true 20 "and turns to the next" is seed 2

key Escape; until_true 20 "Esc gives control back" is driving false
until_true 20 "and the take stands still" is phase paused
key l
other() { ! of STATE is timeline "$timeline"; }
until_true 20 "keys are the viewer's again" other
key l
key F8; until_true 20 "F8 takes control again" is driving true
key space; until_true 20 "and it goes on" is phase driving
key Escape; until_true 20 "Esc gives it back once more" is driving false
click close_recording; until_true 20 "the recording ends" is open false
shot "$out/after.png"
slow="$(grep -oE '^LATENCY frames=[0-9]+' "$out/app.log" | cut -d= -f2 | awk '$1 > 2' | wc -l)"
[ "$slow" -eq 0 ] && grep -q '^LATENCY' "$out/app.log" || fail "$slow keys took more than two frames to the wrist target"
ok "keys were on the wrist target within $(grep -oE '^LATENCY frames=[0-9]+' "$out/app.log" | cut -d= -f2 | sort -n | tail -n 1) frames"
echo quit >&4
for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
kill -0 "$pid" 2>/dev/null && fail "the app did not quit"
wait "$pid"; code=$?
[ "$code" -eq 0 ] || fail "exit code $code"

# The episode browser, on the takes that come with Dextra.
cp -r "$here/../assets/demonstrations/door" "$out/takes"
hashes() { (cd "$out/takes" && find . -type f ! -name .lock | sort | xargs sha256sum); }
before="$(hashes)"
rm -f "$out/commands"; kill "$feeder" 2>/dev/null; exec 4>&-
about=BROWSE
start view "$out/takes"
until_true 60 "a dataset is browsed at once" is open true
until_true 60 "its episodes are listed" is episodes 25
until_true 60 "the first one is shown" is shown true
of STATE is workspace Record || fail "the browser is in the workspace $(of STATE state workspace)"
until_true 120 "their ends are drawn" more_than pictures 6
key space; until_true 20 "Space plays" is plays true
until_true 60 "it moves on" more_than step 20
key space; until_true 20 "and rests" is plays false
key BackSpace; until_true 20 "Backspace goes to the begin" is step 0
key Right; until_true 20 "an arrow steps on" is step 1
xdotool mousemove $(center browse_strip) sleep 0.3 click 1
half=$(($(state steps) / 2))
near_half() { more_than step $((half - 8)) && ! more_than step $((half + 8)); }
until_true 20 "a click on the strip shows the middle" near_half
shot "$out/browser.png"
click episode2; until_true 20 "a click shows another one" is chosen 2
until_true 20 "of which all is marked" is from 0
key Next; until_true 20 "Page down turns to the next" is chosen 3
key Prior; until_true 20 "and Page up back" is chosen 2
until_true 20 "that is shown" is shown true
all="$(state steps)"
click browse_busy
for _ in 1 2 3 4 5 6 7 8 9; do key Right; done
until_true 20 "steps are gone to" is step 9
click browse_from; until_true 20 "From here marks the first step to keep" is from 9
click browse_trim; until_true 60 "a trim is simulated and kept" is undo 1
fewer() { [ "$(state steps)" -lt "$all" ] 2>/dev/null; }
until_true 30 "the episode is shorter" fewer
until_true 30 "and still a success" is success true
until_true 30 "what is left is shown" is shown true
shot "$out/trimmed.png"
click browse_repeat; until_true 20 "it is simulated again" is busy false
key Delete; until_true 60 "Delete removes it" is episodes 24
until_true 30 "the deletion can be taken back" is undo 2
until_true 30 "the next one is shown" is shown true
key ctrl+z; until_true 60 "Ctrl+Z brings it back" is episodes 25
key ctrl+z; until_true 60 "and undoes the trim" is undo 0
until_true 30 "the episode is whole" is steps "$all"
shot "$out/undone.png"
[ "$(hashes)" = "$before" ] ||
  fail "the dataset is not what it was before the edits"
ok "every file is what it was"
click close_browser; until_true 20 "the browser closes" is open false
echo quit >&4
for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
kill -0 "$pid" 2>/dev/null && fail "the app did not quit after browsing"
wait "$pid"; code=$?
[ "$code" -eq 0 ] || fail "exit code $code after browsing"
ls -d "$out"/.takes.* 2>/dev/null && fail "the browser left something behind"

replayed="$("$app" replay datasets/door)" || fail "the kept take does not repeat: $replayed"
[[ "$replayed" == "episode 0: "*"the same to the bit" ]] || fail "replayed: $replayed"
ok "$replayed"
passed=1
echo "PASS in $(elapsed) s${keep:+; pictures in $out}"
