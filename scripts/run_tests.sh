#!/usr/bin/env bash
# Runs the quick tests in two halves at once: integration tests mostly wait, the others compute.
# Job control: without it what runs in the background ignores Ctrl-C, and so do its children.
set -muo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
if [ "$#" -gt 0 ]; then
  exec "$python" -m pytest "$@"
fi

mkdir -p .cache
log=.cache/integration-tests.log
"$python" -m pytest tests/integration tests/chaos >"$log" 2>&1 &
integration=$!
trap 'kill "$integration" 2>/dev/null' EXIT

"$python" -m pytest tests --ignore=tests/integration --ignore=tests/chaos
status=$?
echo "waiting for the integration tests"
wait "$integration" || status=1
trap - EXIT
cat "$log"
exit "$status"
