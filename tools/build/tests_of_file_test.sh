#!/bin/bash
# --of_file of a program with the tests of two sources.
set -euo pipefail
program=$1
failures=0

# expect <what> <status> <words> <option...>
expect() {
  local what=$1 expected=$2 words=$3 said status=0
  shift 3
  said=$("$program" "$@" 2>&1) || status=$?
  if [[ $status != "$expected" || $said != *"$words"* ]]; then
    echo "FAILED: $what: ended with $status and said: $said"
    failures=$((failures + 1))
  fi
}

unset TESTBRIDGE_TEST_ONLY
expect "a file's tests are run" 0 "1 test from 1 test suite ran" --of_file=tools/build/first_test.cc
expect "and the other's" 0 "SecondFile.RunsOnlyItsOwnTests" --of_file=tools/build/second_test.cc
expect "without a file all are run, and tell" 1 "2 tests from 2 test suites ran"
expect "a filter holds besides" 0 "0 tests from 0 test suites ran" --of_file=tools/build/first_test.cc --gtest_filter=SecondFile.*
expect "a filter with what it leaves out too" 0 "0 tests from 0 test suites ran" --of_file=tools/build/first_test.cc --gtest_filter=*-FirstFile.*
expect "a file without tests is an error" 2 "no test of this program is in tools/build/third_test.cc" --of_file=tools/build/third_test.cc
expect "a part of a name is not that file" 2 "no test of this program" --of_file=irst_test.cc
expect "a second file is an error" 2 "one option is known" --of_file=tools/build/first_test.cc --of_file=tools/build/second_test.cc
expect "what is not known is an error" 2 "one option is known" --of_files=first_test.cc

exit "$((failures > 0))"
