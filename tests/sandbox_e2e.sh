#!/usr/bin/env bash
# The sandbox in a real window: a virtual X server, a software Vulkan driver, real keys and clicks.
#
#   tests/sandbox_e2e.sh [path/to/dextra] [folder to keep pictures and logs in]
#
# Opens a scene and checks that it pauses, steps forth and back, branches, that overlays switch, that a
# body is dragged and moves, that an edited number is taken back, saved and nothing else in the file
# changes, that the scene reloads when its file is saved and that a broken file shows its message while the
# last good scene goes on. Skips, saying why, where the virtual display or the driver is missing.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
app="$(realpath "${1:-$(bash "$here/binary.sh")}")"
keep="${2:-}"
mkdir -p "${keep:-/tmp}"
out="$(mktemp -d "${keep:-/tmp}/dextra-sandbox-XXXXXX")"
cd "$here/.."
. "$here/window/harness.sh"
about=SANDBOX
export XDG_STATE_HOME="$out/state"

scene="$out/scene.xml"
cat >"$scene" <<'XML'
<mujoco model="sandbox">
  <option iterations="20"/> <!-- has no effect here -->
  <!-- What a test looks at is in the middle. -->
  <statistic center="0.02 0.07 0.05" extent="1"/>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 0.1"/>
    <body name="arm" pos="0.5 0 0.5">
      <joint name="swing"  axis="0 1 0" damping="0.05"/>
      <geom name="rod" type="capsule" size="0.02" fromto="0 0 0 0.2 0 0"/>
    </body>
    <body name="box" pos="0 0 0.1">
      <freejoint name="box"/>
      <geom name="box" type="box" size="0.1 0.1 0.1"/>
    </body>
  </worldbody>
  <actuator><position name="servo" joint="swing" kp="3" ctrlrange="-2 2"/></actuator>
</mujoco>
XML
cp "$scene" "$out/before.xml"

start view "$scene"
until_true 20 "the scene is there" is bodies 3
xdotool mousemove 630 250

key space; until_true 10 "Space plays" is paused false
until_true 10 "time passes" more_than at 50
key space; until_true 10 "Space pauses" is paused true
at="$(state at)"
key Right; until_true 10 "one step" is at "$((at + 1))"
key Left; key Left; key Left; until_true 10 "three steps back" is at "$((at - 2))"
is states "$((at + 2))" || fail "the history has $(state states) states"
xdotool mousemove $(center history) sleep 0.3 mousedown 1 sleep 0.5 mouseup 1
scrubbed() { [ "$(state at)" -lt "$((at - 10))" ]; }
until_true 10 "a click scrubs" scrubbed
here_at="$(state at)"
key space; until_true 10 "it plays on from there" is paused false
key space; until_true 10 "and pauses" is paused true
# The states ahead are gone: the newest is where it stands.
[ "$(state states)" -eq "$(($(state at) + 1))" ] || fail "no branch: $(state at) of $(state states)"
ok "the history branched at $here_at"
key minus; until_true 10 "a key plays slower" is speed 0.5
key equal

xdotool mousemove 630 250
shot "$out/plain.png"
for letter in c f j u i m h y F6; do key "$letter"; sleep 0.1; done
all="ContactPoints,ContactForces,Joints,Actuators,Inertia,CentreOfMass,Collision,Touch+Bodies"
until_true 10 "every overlay has its key" is overlays "$all"
shot "$out/overlays.png"
differing="$(compare -metric AE "$out/plain.png" "$out/overlays.png" null: 2>&1 | grep -oE '^[0-9.e+]+' | awk '{ printf "%d", $1 }')"
[ "$differing" -gt 2000 ] || fail "overlays changed $differing pixels"
ok "overlays changed $differing pixels"
for letter in c f j u i m h y F6 F6 F6; do key "$letter"; sleep 0.1; done
until_true 10 "and switches off by it" is overlays +None
key w; until_true 10 "wireframe" is overlays Wireframe+None
key w; key t; until_true 10 "transparent" is overlays Transparent+None
key t

# The middle of the view is the middle of the box.
middle="$(center view)"
xdotool mousemove $middle sleep 0.3 click 1 sleep 0.1 click 1
until_true 10 "a double click selects the body" is selected body2
key space; until_true 10 "it plays" is paused false
place="$(state last)"
xdotool keydown ctrl sleep 0.3 mousedown 3 sleep 0.3 mousemove_relative -- 60 -60 sleep 0.3 mousemove_relative -- 60 -60
until_true 10 "Ctrl and the right button push" is pushed true
lifted() { awk -v now="$(state last)" -v then="$place" 'BEGIN { split(now, a, ","); split(then, b, ","); exit !(a[3] > b[3] + 0.03) }'; }
until_true 20 "the dragged body rises" lifted
shot "$out/drag.png"
xdotool mouseup 3 keyup ctrl
until_true 10 "and is let go" is pushed false

[ "$(state edits)" = 0 ] || fail "something was edited"
xdotool mousemove $(center mass) sleep 0.3 mousedown 1 sleep 0.5 mousemove_relative -- 40 0 sleep 0.5 mouseup 1
until_true 10 "a dragged number is an edit" is edits 1
xdotool mousemove 630 250 sleep 0.2
key ctrl+z; until_true 10 "Ctrl+Z takes it back" is edits 0
key ctrl+y; until_true 10 "Ctrl+Y makes it again" is edits 1
key ctrl+s; until_true 10 "Ctrl+S saves it" is edits 0
changed="$(diff "$out/before.xml" "$scene" | grep '^>')"
expected='^> +<geom name="box" type="box" size="0.1 0.1 0.1" mass="[0-9.]+"/>$'
[[ "$changed" =~ $expected ]] || fail "the file changed otherwise: $changed"
ok "one line of the file changed, by one attribute"

click measure; until_true 10 "the time of steps is measured" is timed true
loads="$(state loads)"
sed -i 's|</worldbody>|<body pos="-0.3 0 0.5"><freejoint/><geom size="0.05"/></body></worldbody>|' "$scene"
until_true 10 "a saved file reloads the scene" is bodies 4
more_than loads "$loads" || fail "it was not loaded again"
states="$(state at)"
sed -i 's|size="0.05"|size="nan"|' "$scene"
until_true 10 "a broken file shows its message" is problem true
until_true 10 "and the last good scene goes on" more_than at "$states"
shot "$out/broken.png"
is bodies 4 || fail "the last good scene is gone"
sed -i 's|size="nan"|size="0.06"|' "$scene"
until_true 10 "a mended file takes the message away" is problem false

key space; until_true 10 "it pauses" is paused true
xdotool key ctrl+o; until_true 10 "Ctrl+O opens the dialog" is dialog true
sleep 0.5 # The dialog finds its place.
click door; until_true 20 "a task's scene opens in the sandbox" is model adroit_door
shot "$out/door.png"
click close; until_true 10 "closing leads back to the task" is open false
echo quit >&4
for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
kill -0 "$pid" 2>/dev/null && fail "the app did not quit"
wait "$pid"; code=$?
[ "$code" -eq 0 ] || fail "exit code $code"
passed=1
echo "PASS in $(elapsed) s${keep:+; pictures in $out}"
