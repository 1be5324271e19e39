#!/bin/bash
# The runner as its user sees it: judge_test.sh <judge> <libweir_inproc.so>. No check of the backend: of the verdicts,
# the exit status and the files.
set -euo pipefail

judge=$1
library=$2
endpoint='inproc://{sandbox}/{topic}'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*" >&2
  cat "$scratch/out" >&2
  exit 1
}

# expect <status> <arguments...>: runs the judge with what it writes in $scratch/out.
expect() {
  local wanted=$1 status=0
  shift
  "$judge" "$@" >"$scratch/out" 2>&1 || status=$?
  [[ $status == "$wanted" ]] || fail "status $status instead of $wanted: $*"
}

has() {
  grep -qF -- "$1" "$scratch/out" || fail "no \"$1\""
}

expect 0 --plugin "$library" --endpoint "$endpoint" --only ORD --seed 7 \
  --json "$scratch/report.json" --html "$scratch/report.html"
has "ORD-1      MUST   pass"
has "inproc: 10 pass"
grep -q '"seed": 7' "$scratch/report.json" || fail "the seed is not in the JSON"
grep -q '"verdict": "pass"' "$scratch/report.json" || fail "no verdict in the JSON"
grep -q 'data-backend="inproc"' "$scratch/report.html" || fail "no backend in the page"
! grep -qE '(src|href)="' "$scratch/report.html" || fail "the page needs other files"

# Relative paths are meant as where the command was given, though `bazel run` starts its program elsewhere.
cp "$library" "$scratch/given.so"
echo '[]' >"$scratch/given-deviations.json"
BUILD_WORKING_DIRECTORY=$scratch expect 0 --plugin given.so --endpoint "$endpoint" --only ORD-10 \
  --deviations given-deviations.json --json given.json --html given.html
[[ -s $scratch/given.json && -s $scratch/given.html ]] || fail "the report is not where the command was given"

# One test by its id, by its name; a declared deviation that does not hold is a failure.
expect 0 --plugin "$library" --endpoint "$endpoint" --only HIST-3
has "1 pass"
expect 0 --plugin "$library" --endpoint "$endpoint" --only Ordering.NothingComesTwice
has "ORD-2"
echo '[{"requirement": "ORD-10", "kind": "always", "reason": "declared wrongly"}]' >"$scratch/deviations.json"
expect 1 --plugin "$library" --endpoint "$endpoint" --only ORD-10 --deviations "$scratch/deviations.json"
has "take the declaration back"
has "replay: "

echo '[{"requirement": "ORD-10", "kind": "may", "reason": "a slip", "test": "NoSuchTest"}]' >"$scratch/deviations.json"
expect 2 --plugin "$library" --endpoint "$endpoint" --only ORD-10 --deviations "$scratch/deviations.json"
has "NoSuchTest"
has "--list names"

# The command that replays a failure has the limits of the run.
echo '[{"requirement": "ORD-10", "kind": "always", "reason": "declared wrongly"}]' >"$scratch/deviations.json"
expect 1 --plugin "$library" --endpoint "$endpoint" --only ORD-10 --deviations "$scratch/deviations.json" \
  --seed 3 --time-budget 2 --patience 45 --memory 512
has " --time-budget 2 --patience 45 --memory 512 --seed 3 --only "

# Whoever is interrupted leaves nothing: neither processes nor the files of the test.
"$judge" --plugin "$library" --endpoint "$endpoint" --only MIX-1 --time-budget 50 >"$scratch/out" 2>&1 &
interrupted=$!
files=
while [[ -z $files ]] && kill -0 "$interrupted"; do
  child=$(cat "/proc/$interrupted/task/$interrupted/children" 2>/dev/null) || continue
  child=${child%% *}
  files=$(tr '\0' '\n' 2>/dev/null <"/proc/${child:-none}/environ" | sed -n 's/^WEIR_CONFORMANCE_SANDBOXES=//p') || true
done
[[ -d $files ]] || fail "no test with files of its own is running"
kill -TERM "$interrupted"
status=0
wait "$interrupted" || status=$?
[[ $status == 2 ]] || fail "status $status instead of 2 after SIGTERM"
has "interrupted by signal 15"
[[ ! -e $files ]] || fail "$files is left"
[[ ! -e /proc/$child ]] || fail "the process of the test is left"

# A requirement that the backend does not promise.
expect 0 --plugin "$library" --endpoint "$endpoint" --only CRASH-22
has "1 unsupported"

# Wrong command lines say what is wrong.
expect 2 --plugin "$scratch/none.so" --endpoint "$endpoint"
has "there is no file"
expect 2 --plugin "$library" --endpoint 'inproc://topic'
has "has no {topic}"
expect 2 --plugin "$library" --endpoint "$endpoint" --only NOTHING-1
has "no test fits"
expect 2 --endpoint "$endpoint"
# What is no plug-in fails every test, and harms nobody.
expect 1 --plugin "$scratch/deviations.json" --endpoint "$endpoint" --only ORD-10
has "cannot be loaded"
echo "all as it should be"
