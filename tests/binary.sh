#!/usr/bin/env bash
# Prints the path of the release build of `dextra`, wherever cargo was told to put it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
echo "${CARGO_TARGET_DIR:-$PWD/target}/release/dextra"
