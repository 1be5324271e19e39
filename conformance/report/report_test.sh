#!/bin/bash
# The report as its user sees it: report_test.sh <report>. The judges are scripts, which do what judges may do.
# The text of scripts is not expanded here.
# shellcheck disable=SC2016
set -euo pipefail

report=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*" >&2
  cat "$scratch/out" >&2
  exit 1
}

# expect <status> <arguments...>: runs the report in $scratch with what it writes in $scratch/out.
expect() {
  local wanted=$1 status=0
  shift
  (cd "$scratch" && "$report" "$@") >"$scratch/out" 2>&1 || status=$?
  [[ $status == "$wanted" ]] || fail "status $status instead of $wanted: $*"
}

has() {
  grep -qF -- "$1" "$scratch/$2" || fail "no \"$1\" in $2"
}

# judge <name> <lines...>: a judge, which has the path to write to in $json.
judge() {
  printf '%s\n' '#!/bin/bash' 'while [[ $1 != --json ]]; do shift; done' 'json=$2' "${@:2}" >"$scratch/$1"
  chmod +x "$scratch/$1"
}
verdicts() {
  echo "echo '{\"backend\": \"$1\", \"endpoint\": \"x://{topic}\", \"seed\": 1, \"tests\": [{\"test\": \"Ordering.X\"," \
    "\"requirements\": [\"ORD-1\"], \"verdict\": \"$2\", \"reason\": \"\", \"milliseconds\": 1, \"replay\": \"\"}]}'" \
    '>"$json"'
}

judge good "$(verdicts good pass)"
judge unlucky "$(verdicts unlucky inconclusive)" 'exit 3'
judge bad "$(verdicts bad fail)" 'exit 1'
judge silent 'exit 2'
judge dying 'kill -KILL $$'
judge scribbling 'echo "{" >"$json"'
judge asking "$(verdicts asking pass)" '[[ $json == /* && $TEST_UNDECLARED_OUTPUTS_DIR == "${json%/*}" ]] || rm "$json"'

expect 0 --out verdicts "$scratch/good" "$scratch/unlucky"
has 'aria-label="ORD-1 over good: pass"' verdicts/conformance.html
has 'aria-label="ORD-1 over unlucky: inconclusive"' verdicts/conformance.html

expect 1 --out verdicts "$scratch/bad"
expect 0 --out verdicts verdicts/good.json
has 'aria-label="ORD-1 over good: pass"' verdicts/conformance.html

# Judges are told of the directory by its absolute path, as one with mounts of its own must know it.
expect 0 --out verdicts --only ORD-1 --only ORD-2 "$scratch/asking"

# Who gives no verdicts is named and left out, and the others stay; verdicts of an earlier run are none of his.
for name in silent dying scribbling; do
  cp "$scratch/verdicts/good.json" "$scratch/verdicts/$name.json"
  expect 1 --out verdicts "$scratch/$name" "$scratch/good"
  has "report: $scratch/$name ended with status" out
  has 'aria-label="ORD-1 over good: pass"' verdicts/conformance.html
done
echo "all as it should be"
