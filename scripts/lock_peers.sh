#!/bin/sh
# Resolves the Python peers of `make bench` again: scripts/peers/NAME.in to NAME.lock, with hashes.
set -eu

root="$(cd "$(dirname "$0")/.." && pwd)"
"$root/.venv/bin/python" -m pip install --quiet uv
for wanted in "$root"/scripts/peers/*.in; do
    lock="${wanted%.in}.lock"
    "$root/.venv/bin/uv" pip compile --quiet --python-version 3.11 --generate-hashes \
        --no-emit-index-url "$wanted" -o "$lock"
    # The first two lines name this machine's folders.
    sed -i '1,2c# Made by `scripts/lock_peers.sh`.' "$lock"
done
