#!/usr/bin/env bash
# Runs the chaos suite in two lanes at once, each on a Kafka of its own: the tests mostly wait, for
# sessions to end and for events to come at their pace.
# Job control: without it what runs in the background ignores Ctrl-C, and so do its children.
set -muo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
suite=tests/chaos
one=("$suite"/test_{kills,redis,rolling_restart,arrival}.py)

mkdir -p .cache
log=.cache/chaos-tests.log
"$python" -m pytest -m kafka "${one[@]}" "$@" >"$log" 2>&1 &
first=$!
trap 'kill "$first" 2>/dev/null' EXIT

"$python" -m pytest -m kafka "$suite" "${one[@]/#/--ignore=}" "$@"
status=$?
echo "waiting for the other half of the chaos tests"
wait "$first" || status=1
trap - EXIT
cat "$log"
exit "$status"
