#!/bin/bash
# shm:// through the C ABI, judged like anybody's: shm_plugin_test.sh <judge> <libweir_shm.so> [families...].
# The verdicts are report.json and report.html among the undeclared outputs.
set -euo pipefail

only=()
for family in "${@:3}"; do
  only+=(--only "$family")
done
report=${TEST_UNDECLARED_OUTPUTS_DIR:-$(mktemp -d)}/report
exec "$1" --plugin "$2" --endpoint 'shm://{topic}?root={root}' --json "$report.json" --html "$report.html" "${only[@]}"
