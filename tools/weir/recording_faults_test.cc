// What becomes of recordings whose recorder, publisher, disk or file failed.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "tools/weir/test_recording.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(Recording, KilledRecorderLosesNothingThatItHadAndIsContinued) {
  auto publisher = node_.publisher("shm://camera").value();
  {
    Program recorder({"record", "camera", "-o", path_});
    ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
    std::uint64_t last = 0;
    for (const char* message : {"0", "1", "2"}) last = publisher.send(bytes_of(message)).value();
    // It takes a message only after the one before is in the file.
    ASSERT_TRUE(publisher.wait_until_taken(last, never));
    recorder.signal(SIGKILL);
    EXPECT_EQ(recorder.end(), 1000 + SIGKILL);
  }
  const Json described = describe(path_);
  EXPECT_EQ(described["complete"], false);
  EXPECT_GE(described["messages"], 2);
  EXPECT_LE(described["messages"], 3);
  const int before = described["messages"];
  const Outcome refused = run({"record", "camera", "-o", path_});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("--append"));
  for (int missed = 0; missed < 4; ++missed) ASSERT_TRUE(publisher.send(bytes_of("missed")));

  Program recorder({"record", "camera", "-o", path_, "--append", "-n", "1"});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  ASSERT_TRUE(publisher.send(bytes_of("last")));
  ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  const Json whole = describe(path_);
  EXPECT_EQ(whole["complete"], true);
  EXPECT_EQ(whole["messages"], before + 1);
  EXPECT_EQ(whole["missing"], 4 + 3 - before);
  auto subscriber = node_.subscriber("shm://replayed").value();
  ASSERT_EQ(run({"replay", path_, "--fast", "--to", "replayed", "-w", "1"}).status, 0);
  for (int message = 0; message < before; ++message) {
    EXPECT_EQ(text_of(subscriber.take()->payload()), std::to_string(message));
  }
  EXPECT_EQ(text_of(subscriber.take()->payload()), "last");
}

TEST_F(Recording, TruncatedRecordingIsReplayedUpToItsLastWholeMessageAndContinued) {
  record(4);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  const Outcome replay = run({"replay", path_, "--fast"});
  EXPECT_EQ(replay.status, 0);
  EXPECT_THAT(replay.errors, HasSubstr("was killed, or still writes"));
  const int left = describe(path_)["messages"];
  ASSERT_LT(left, 4);
  record(2, {"--append"});
  EXPECT_EQ(describe(path_)["complete"], true);
  EXPECT_EQ(describe(path_)["messages"], left + 2);
}

TEST_F(Recording, DamagedRecordingIsReplayedUpToTheDamageWhichIsAnError) {
  record(4);
  const auto end = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, end - 1);  // without its index
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(end) / 4);
  file.write("!!!!", 4);
  file.close();
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"replay", path_, "--fast"}, {"replay", path_, "--describe"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 8);
    EXPECT_THAT(outcome.errors, HasSubstr("was damaged at byte"));
  }
  EXPECT_EQ(run({"record", "camera", "--wait", "-o", path_, "--append"}).status, 8);
}

TEST_F(Recording, LimitOnFilesEndsTheRecordingWithASentenceAndWhatIsThereStaysReadable) {
  auto publisher = node_.publisher("shm://camera?grant=block&depth=4&deadline=60s").value();
  Program recorder({"record", "camera?policy=lossless&depth=4", "-o", path_});
  ASSERT_TRUE(recorder.notes("recording to"));
  const rlimit limit{.rlim_cur = 100'000, .rlim_max = 100'000};
  ASSERT_EQ(prlimit(recorder.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  const std::string message(30'000, 'x');
  for (int sent = 0; sent < 4; ++sent) ASSERT_TRUE(publisher.send(bytes_of(message)));
  EXPECT_EQ(recorder.end(), 6);
  EXPECT_THAT(recorder.errors(), HasSubstr("limit on the size of a file"));
  EXPECT_THAT(recorder.errors(), HasSubstr(path_));
  EXPECT_EQ(describe(path_)["messages"], 3);
  EXPECT_EQ(describe(path_)["surplus"], 0);
}

TEST_F(Recording, FullDiskEndsTheRecordingWithASentenceAndWhatIsThereStaysReadable) {
  // A disk of its own, which is gone with the shell.
  const std::string script = R"(
    mount -t tmpfs -o size=256k none "$1" || exit 77
    tools/weir/weir pub 'camera?grant=block&deadline=60s' -w 1 -n 20 --size 30000 < /dev/zero & publisher=$!
    tools/weir/weir record 'camera?policy=lossless' --wait --output "$1/recording"
    echo "recorder $?"
    wait $publisher
    tools/weir/weir replay --describe --json "$1/recording"
    echo "replay $?")";
  const std::string disk = root_.path() + "/disk";
  std::filesystem::create_directory(disk);
  Program shell({"--mount", "sh", "-c", script, "sh", disk}, {}, "unshare");
  ASSERT_EQ(shell.end(), 0) << shell.errors();
  EXPECT_THAT(shell.output(), HasSubstr("recorder 6\n"));
  EXPECT_THAT(shell.errors(), HasSubstr("the disk is full"));
  EXPECT_THAT(shell.output(), HasSubstr("\"messages\":8"));
  EXPECT_THAT(shell.output(), HasSubstr("\"surplus\":0"));
  EXPECT_THAT(shell.output(), HasSubstr("replay 0\n"));
}

TEST_F(Recording, LossesOfARecorderThatIsTooSlowAreCounted) {
  auto publisher = node_.publisher("shm://camera").value();
  Program recorder({"record", "camera?depth=2", "-o", path_, "-n", "2"});
  ASSERT_TRUE(recorder.notes("recording to"));
  recorder.stop();
  for (int message = 0; message < 10; ++message) ASSERT_TRUE(publisher.send(bytes_of(std::to_string(message))));
  recorder.signal(SIGCONT);
  ASSERT_EQ(recorder.end(), 0);
  EXPECT_THAT(recorder.errors(), HasSubstr("8 were lost before they came"));
  EXPECT_EQ(describe(path_)["sources"][0]["lost"], 8);
}

TEST_F(Recording, UnknownTopicsMakeNoFile) {
  const Outcome outcome = run({"record", "camera", "-o", path_});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("--wait"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Recording, DirectoryThatIsNotThereIsNamed) {
  auto publisher = node_.publisher("shm://camera").value();
  const Outcome outcome = run({"record", "camera", "-o", root_.path() + "/none/recording"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("/none/recording"));
}

TEST_F(Recording, WhatIsNoRecordingIsRefusedAndLeftAsItWas) {
  auto publisher = node_.publisher("shm://camera").value();
  std::ofstream(path_) << "a letter, say";
  const Outcome replay = run({"replay", path_});
  EXPECT_EQ(replay.status, 8);
  EXPECT_THAT(replay.errors, HasSubstr("no recording"));
  EXPECT_EQ(run({"record", "camera", "-o", path_, "--append"}).status, 8);
  EXPECT_EQ(std::filesystem::file_size(path_), 13U);
  EXPECT_EQ(run({"replay", path_ + "-missing"}).status, 3);
}

TEST_F(Recording, PipeIsNoRecordingAndIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const Outcome replay = run({"replay", path_});
  EXPECT_EQ(replay.status, 8);
  EXPECT_THAT(replay.errors, HasSubstr("no recording"));
}

TEST_F(Recording, PublisherWhoseMemoryIsDamagedIsLeftOutAndTheOthersAreRecorded) {
  auto damaged = node_.publisher("shm://camera").value();
  Program recorder({"record", "camera", "-o", path_, "-n", "2"});
  ASSERT_TRUE(recorder.notes("recording to"));
  recorder.stop();
  ASSERT_TRUE(damaged.send(bytes_of(std::string(4096, 'x'))));
  for (const auto& entry : std::filesystem::directory_iterator(root_.path() + "/v1/camera")) {
    // Where its larger messages are.
    if (entry.path().filename().string().find(".c") != std::string::npos) std::filesystem::resize_file(entry, 0);
  }
  recorder.signal(SIGCONT);
  ASSERT_TRUE(recorder.notes("left out")) << recorder.errors();
  auto well = node_.publisher("shm://camera").value();
  ASSERT_TRUE(well.wait_for_subscribers(1, never));
  for (const char* message : {"one", "two"}) ASSERT_TRUE(well.send(bytes_of(message)));
  EXPECT_EQ(recorder.end(), 8);
  const Json described = describe(path_);
  EXPECT_EQ(described["complete"], true);
  EXPECT_EQ(described["messages"], 2);
}

}  // namespace
}  // namespace weir::tool::testing
