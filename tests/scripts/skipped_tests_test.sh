#!/usr/bin/env bash
# skipped_tests_test.sh PROGRAM: runs the planted cases of PROGRAM and checks the exit statuses by which ctest tells
# skipped tests (77) from passed (0) and failed ones (1).
set -euo pipefail

failed=0

# expect STATUS CASES: the status of a run of these cases.
expect() {
  local status=0
  "$program" "$2" >/dev/null || status=$?
  if ((status != $1)); then
    echo "'$2' ends with status $status, expected $1"
    failed=1
  fi
}

program=$1
expect 77 "skipped"
expect 77 "skipped,skipped as well"
expect 0 "passed"
expect 0 "skipped,passed"
expect 0 "passed,skipped"
expect 1 "skipped and failed"
expect 1 "skipped,skipped and failed"
expect 1 "77 failures"
exit "$failed"
