#!/usr/bin/env bash
# Updates per second of the REQ update, ours beside the same mathematics in JAX (jit) and PyTorch, in
# one run on one thread: batch 256, 20 action samples at s and s', twin critics, networks of 3x256,
# observations 39, actions 28, float32. With sharing, V of a state that is s of one row and s' of
# another is computed once, in all three. First each implementation makes five updates from the same
# parameters, batch and noise, and the losses are compared.
#
# usage: tests/reference/update_rate.sh [SECONDS per measurement, 4 | check: compare the losses only]
#   PYTHON_JAX, PYTHON_TORCH: interpreters that have them (python3; absent ones are said to be)
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-4}
rounds=3
first_with() { # module, candidates...
    local module=$1 python
    shift
    for python in "$@"; do
        if command -v "$python" >/dev/null && "$python" -c "import $module" 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}
jax=$(first_with jax ${PYTHON_JAX:-} python3)
torch=$(first_with torch ${PYTHON_TORCH:-} python3)
[ -n "$jax" ] || echo "JAX is missing: pip install jax, or set PYTHON_JAX"
[ -n "$torch" ] || echo "PyTorch is missing: pip install torch, or set PYTHON_TORCH"

export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1
pin=()
if command -v taskset >/dev/null; then
    pin=(taskset -c "$(taskset -pc $$ | sed 's/.*: *\([0-9]*\).*/\1/')")
fi
cargo build -q --release -p dextra-learn --example update_rate
ours="${CARGO_TARGET_DIR:-target}/release/examples/update_rate"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=tests/reference

median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
for sharing in "" shared; do
    folder="$work/${sharing:-separate}"
    "${pin[@]}" "$ours" export "$folder" $sharing
    echo "== V(s) and V(s') ${sharing:-separate} =="
    [ -z "$jax" ] || "${pin[@]}" "$jax" $here/req_update_jax.py check "$folder"
    [ -z "$torch" ] || "${pin[@]}" "$torch" $here/req_update_torch.py check "$folder"
    [ "$seconds" != check ] || continue
    # Interleaved, so that a busy machine slows all alike.
    for _ in $(seq $rounds); do
        "${pin[@]}" "$ours" time "$seconds" $sharing | awk '/RESULT/ {print $2}' >>"$folder/ours"
        [ -z "$jax" ] || "${pin[@]}" "$jax" $here/req_update_jax.py time "$folder" "$seconds" |
            awk '/RESULT/ {print $2}' >>"$folder/jax"
        [ -z "$torch" ] || "${pin[@]}" "$torch" $here/req_update_torch.py time "$folder" "$seconds" |
            awk '/RESULT/ {print $2}' >>"$folder/torch"
    done
    base=$(median <"$folder/ours")
    for who in ours jax torch; do
        [ -f "$folder/$who" ] || continue
        median <"$folder/$who" | awk -v who=$who -v base="$base" '{
            printf "%-6s %8.2f ms of processor time per update  %7.1f updates/s  ours takes %.2f of its time\n",
                who, $1, 1000 / $1, base / $1 }'
    done
done
