// The commands over iceoryx, with a RouDi of the test's own: in mounts of its own, as there can be one to a /tmp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/test_program.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

// Runs a script of the shell once RouDi answers; "$weir" is the program.
std::string beside_roudi(const std::string& script) {
  const std::string begin = R"(
    mount -t tmpfs -o size=512m none /dev/shm || exit 77
    weir=/dev/shm/weir; cp tools/weir/weir "$weir"  # also where the checkout is in /tmp
    mount -t tmpfs -o size=16m none /tmp || exit 77
    mkdir /dev/shm/topics; export WEIR_ROOT=/dev/shm/topics
    iox-roudi --monitoring-mode off > /tmp/roudi.log & roudi=$!
    trap 'kill -9 $roudi' EXIT
    until "$weir" doctor | grep -q 'runs and answers'; do
      kill -0 $roudi || { cat /tmp/roudi.log >&2; exit 78; }
    done
)";
  Program shell({"--mount", "sh", "-c", begin + script}, {}, "unshare");
  const int status = shell.end();
  EXPECT_EQ(status, 0) << shell.errors();
  return shell.output();
}

TEST(Iceoryx, MessagesAreEchoedRecordedAndReplayed) {
  const std::string output = beside_roudi(R"(
    "$weir" echo iceoryx://Radar/Left/Object --text -n 2 & echo=$!
    "$weir" record iceoryx://Radar/Left/Object -o /tmp/recording -n 2 2> /tmp/record.log & record=$!
    until grep -q 'recording to' /tmp/record.log; do kill -0 $record || exit 79; done
    "$weir" pub iceoryx://Radar/Left/Object --wait-for 1 --rate 100 -n 1000000 one two & pub=$!
    wait $echo; wait $record
    kill -INT $pub; wait $pub
    "$weir" replay --describe /tmp/recording
    "$weir" echo iceoryx://Radar/Right/Object --text -n 2 & echo=$!
    "$weir" replay /tmp/recording --fast --to iceoryx://Radar/Right/Object --wait-for 1
    wait $echo; echo "replayed $?")");
  EXPECT_THAT(output, HasSubstr("iceoryx://Radar/Left/Object"));
  EXPECT_THAT(output, HasSubstr(": 2 messages, 6 B"));
  EXPECT_THAT(output, HasSubstr("replayed 0"));
}

TEST(Iceoryx, WhatItCannotDoIsRefusedByName) {
  const std::string output = beside_roudi(R"(
    for command in list top clean; do
      "$weir" $command iceoryx:// 2>&1; echo "$command $?"
    done
    "$weir" info iceoryx://Radar/Left/Object)");
  for (const char* refused : {"list 4\n", "top 4\n", "clean 4\n"}) EXPECT_THAT(output, HasSubstr(refused));
  EXPECT_THAT(output, HasSubstr("promises"));
}

}  // namespace
}  // namespace weir::tool::testing
