#!/bin/bash
# one.sh MODEL ok|err [FLAG...]: one exhaustive check in a scratch directory of its own; prints one line.
#
# `ok`: the promise must hold in every reachable state.  `err`: the planted bug must be found.  Exit status 0 when the
# verdict is the expected one.  A search that did not complete (memory, depth, time) is never the expected one.
#   WEIR_MODEL_MEMORY   megabytes for the state space (6000)
#   WEIR_MODEL_SECONDS  time limit of the search (1200)
#   WEIR_MODEL_COMPILE  flags of gcc (-O2 -DCOLLAPSE); a small search is done sooner with -O0
#   WEIR_MODEL_TABLE    binary logarithm of the places in the first table of states (24); a small one is sooner made
#   WEIR_MODEL_TRAILS   directory that receives the counterexamples, one file each (none)
set -uo pipefail
source_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
model=$1
expected=$2
shift 2
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "MISSING     $tool is not installed (Debian package $tool)"; exit 2; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$source_directory"/{tso.h,"$model"} "$scratch" && cd "$scratch" || exit 2

report() {  # report <verdict> <found> <states> <why>
  printf '%-11s %-18s %-4s %9s states %4ss %s%s\n' "$1" "$model" "$2" "$3" "$SECONDS" "$flags" "${4:+ | $4}"
}
flags="$*"
spin -a "$@" "$model" >spin.out 2>&1 || { report UNEXPECTED spin 0 "$(head -3 spin.out)"; exit 1; }
# shellcheck disable=SC2086  # word splitting is meant: each flag is an argument
gcc ${WEIR_MODEL_COMPILE:--O2 -DCOLLAPSE} -w -DSAFETY -DVECTORSZ=1024 -DMEMLIM="${WEIR_MODEL_MEMORY:-6000}" -o pan pan.c >cc.out 2>&1 ||
  { report UNEXPECTED gcc 0 "$(head -3 cc.out)"; exit 1; }
timeout "${WEIR_MODEL_SECONDS:-1200}" nice ./pan -m400000 -w"${WEIR_MODEL_TABLE:-24}" >pan.out 2>&1

states=$(grep -o '[0-9.e+]* states, stored' pan.out | cut -d' ' -f1)
errors=$(grep -o 'errors: [0-9]*' pan.out | cut -d' ' -f2)
why=$(grep -E '^pan:[0-9]*: ' pan.out | head -1 | cut -c1-90)
case $errors in
  0) found=ok; grep -q 'Search not completed\|max search depth\|MEMLIM\|out of memory' pan.out && found=none ;;
  '') found=none ;;
  *) found=err ;;
esac
if [[ $found == err && -n ${WEIR_MODEL_TRAILS:-} ]]; then
  mkdir -p "$WEIR_MODEL_TRAILS"
  spin -t -p -g -l "$@" "$model" >"$WEIR_MODEL_TRAILS/$(tr -c 'A-Za-z0-9_\n' '_' <<<"$model $flags").txt" 2>&1
fi
if [[ $found == "$expected" ]]; then report AS_EXPECTED "$found" "$states" "$why"; else report UNEXPECTED "$found" "$states" "$why"; exit 1; fi
