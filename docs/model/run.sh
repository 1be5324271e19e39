#!/bin/bash
# run.sh short|longer|full [MODEL...]: runs the checks listed in *.checks, one after the other, and fails loudly if any
# verdict is not the expected one.  `short` runs those marked short, `longer` those marked longer too (at most a minute);
# `full` runs all.  Closing line: "N passed, N failed, N left out".
set -uo pipefail
class=${1:-}
[[ $class == short || $class == longer || $class == full ]] || { echo "usage: run.sh short|longer|full [MODEL...]" >&2; exit 2; }
shift
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "run.sh: $tool is missing; Debian's package is called $tool" >&2; exit 2; }
done
# Small searches: compiling them takes longer than they do, and their states fit into memory as they are.
[[ $class == full ]] || export WEIR_MODEL_COMPILE=-O0 WEIR_MODEL_TABLE=20
(($#)) || set -- "$here"/m*.checks
passed=0
failed=0
left_out=0
for list; do
  list=$here/$(basename "$list" .checks).checks
  [[ -r $list ]] || { echo "run.sh: no $list" >&2; exit 2; }
  # shellcheck disable=SC2094
  while read -r expected when flags; do
    [[ $expected == ok || $expected == err ]] || continue
    if [[ $class != full && $when != short && $when != "$class" ]]; then
      left_out=$((left_out + 1))
      continue
    fi
    # SC2094: it is another file, of the same name.  Word splitting is meant: each flag is an argument.
    # shellcheck disable=SC2086,SC2094
    if "$here/one.sh" "$(basename "$list" .checks).pml" "$expected" $flags </dev/null; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
  done <"$list"
done
echo "$passed passed, $failed failed, $left_out left out"
((failed == 0 && passed > 0))
