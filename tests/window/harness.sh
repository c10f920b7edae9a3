# What the tests of the app in a real window share: a virtual X server, a software Vulkan driver, real keys
# and clicks. Sourced, with `app` (the binary), `out` (a folder) and `keep` (empty, or where pictures stay)
# set. Skips, saying why, where the virtual display or the driver is missing.

skip() { passed=1; echo "SKIPPED: the app in a real window: $*"; exit 0; }
for tool in Xvfb xdotool import compare identify python3; do
  command -v "$tool" >/dev/null || skip "$tool is missing (apt install xvfb xdotool imagemagick python3)"
done
driver="$(ls /usr/share/vulkan/icd.d/lvp_icd*.json 2>/dev/null | head -n 1)"
[ -n "$driver" ] || skip "no software Vulkan driver (apt install mesa-vulkan-drivers)"
[ -x "$app" ] || { echo "FAIL: $app is not built"; exit 1; }

export VK_ICD_FILENAMES="$driver"
export LP_NUM_THREADS=2 NO_AT_BRIDGE=1
unset WAYLAND_DISPLAY WAYLAND_SOCKET

# A display of our own: the server picks a free number and says which.
exec 3>"$out/display"
Xvfb -displayfd 3 -screen 0 1280x720x24 -nolisten tcp >"$out/xvfb.log" 2>&1 &
server=$!
pid="" feeder=""
passed=0
finish() {
  kill $pid $feeder $server 2>/dev/null
  wait 2>/dev/null
  [ "${passed:-0}" -eq 1 ] && [ -z "$keep" ] && rm -rf "$out"
}
trap finish EXIT
for _ in $(seq 100); do [ -s "$out/display" ] && break; sleep 0.1; done
[ -s "$out/display" ] || skip "Xvfb did not start: $(tail -n 1 "$out/xvfb.log")"
DISPLAY=":$(tr -d '[:space:]' <"$out/display")"
export DISPLAY

fail() {
  echo "FAIL: $*"
  import -window root "$out/failure.png" 2>/dev/null
  echo "--- last state"; grep -E '^(STATE|SANDBOX)' "$out/app.log" | tail -n 2
  echo "--- standard error"; tail -n 5 "$out/app.err"
  echo "--- kept in $out"
  exit 1
}
ok() { printf 'ok   %5.1f s  %s\n' "$(elapsed)" "$*"; }
elapsed() { awk -v a="$started" -v b="$(date +%s.%N)" 'BEGIN { print b - a }'; }

# The newest value of a key of the STATE line, or of the line that `about` names.
about=STATE
state() { grep "^$about" "$out/app.log" | tail -n 1 | grep -oE "(^| )$1=[^ ]*" | cut -d= -f2; }
# until_true SECONDS WHAT COMMAND...
until_true() {
  local seconds=$1 what=$2; shift 2
  local end=$((SECONDS + seconds))
  until "$@"; do
    kill -0 "$pid" 2>/dev/null || fail "the app ended while waiting for: $what"
    [ "$SECONDS" -lt "$end" ] || fail "not within $seconds s: $what"
    sleep 0.1
  done
  ok "$what"
}
# until_still SECONDS WHAT KEY: a value that has not changed for a second. What was under way when something
# was paused may still arrive.
until_still() {
  local end=$((SECONDS + $1)) value; shift
  until value="$(state "$2")"; sleep 1; is "$2" "$value"; do
    [ "$SECONDS" -lt "$end" ] || fail "$1: $2 went on to $(state "$2")"
  done
  ok "$1 at $value"
}
is() { [ "$(state "$1")" = "$2" ]; }
more_than() { [ "$(state "$1")" -gt "$2" ] 2>/dev/null; }
center() { grep "^WIDGET $1 " "$out/app.log" | tail -n 1 | awk '{ printf "%d %d", $3 + $5 / 2, $4 + $6 / 2 }'; }
click() { xdotool mousemove $(center "$1") sleep 0.3 click 1; }
key() { xdotool key "$1"; }
# What the app itself draws, not what the X server shows.
shot() {
  rm -f "$1"
  echo "shot $1" >&4
  until_true 20 "screenshot $(basename "$1")" test -s "$1"
  sleep 0.3
}

# start ARGUMENTS...: the app, listening and telling; then `window` is its window, with the keyboard.
start() {
  started="$(date +%s.%N)"
  mkfifo "$out/commands"
  sleep 600 >"$out/commands" & feeder=$!
  "$app" "$@" --e2e <"$out/commands" >"$out/app.log" 2>"$out/app.err" & pid=$!
  exec 4>"$out/commands"
  until_true 60 "a window with panels" grep -q '^WIDGET view' "$out/app.log"
  until_true 10 "the window is called Dextra" find_window
  until_true 10 "the window takes the keyboard" focus
}
find_window() { window="$(xdotool search --name '^Dextra' 2>/dev/null | head -n 1)"; [ -n "$window" ]; }
# No window manager does it here.
focus() { xdotool windowfocus "$window" 2>/dev/null && [ "$(xdotool getwindowfocus 2>/dev/null)" = "$window" ]; }
