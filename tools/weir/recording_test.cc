// record and replay, as a person runs them, and what becomes of recordings whose recorder or disk failed.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/recording_writer.h"
#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Bytes that differ from those of every other message.
std::string content(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>((at * 31 + at / 251 + seed * 17) & 0xffU);
  return text;
}

class Recording : public ::testing::Test {
 protected:
  static Json describe(const std::string& path) {
    const Outcome outcome = run({"replay", path, "--describe", "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    return Json::parse(outcome.output);
  }
  // Records so many messages "0", "1", … and ends in order.
  void record(int messages, const std::vector<std::string>& more = {}) {
    auto publisher = node_.publisher("shm://camera").value();
    std::vector<std::string> arguments{"record", "camera", "-o", path_, "-n", std::to_string(messages)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Program recorder(arguments);
    ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
    for (int message = 0; message < messages; ++message) {
      ASSERT_TRUE(publisher.send(bytes_of(std::to_string(message))));
    }
    ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  }

  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
  std::string path_ = root_.path() + "/recording";
};

TEST_F(Recording, MessagesOfEverySizeAreReplayedInOrderAndWholeWithHeadersAndType) {
  const std::vector<std::size_t> sizes{0,    1,     7,     8,       64,      65,      4095,
                                       4096, 65536, 99999, 1048576, 4194304, 4194305, 5000001};
  const TypeInfo type{.name = "Image", .size = 0, .alignment = 64, .fingerprint = 0xfeedU};
  const auto payload = [&](std::size_t message) { return content(sizes[message], static_cast<unsigned>(message)); };
  const auto header = [&](std::size_t message) { return content(message * 37, static_cast<unsigned>(message) + 99); };
  {
    auto publisher = node_.publisher("shm://camera", {.name = "front", .type = type}).value();
    Program recorder({"record", "camera", "-o", path_, "-n", std::to_string(sizes.size())});
    ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
    for (std::size_t message = 0; message < sizes.size(); ++message) {
      ASSERT_TRUE(publisher.send(bytes_of(payload(message)), bytes_of(header(message))));
    }
    ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  }
  const Json described = describe(path_);
  EXPECT_EQ(described["complete"], true);
  EXPECT_EQ(described["messages"], sizes.size());
  EXPECT_EQ(described["sources"][0]["topic"], "shm://camera");
  EXPECT_EQ(described["sources"][0]["name"], "front");
  EXPECT_EQ(described["sources"][0]["type"], "Image");

  auto subscriber = node_.subscriber("shm://camera", {.depth = 64, .type = type}).value();
  const Outcome replay = run({"replay", path_, "--fast", "-w", "1"});
  ASSERT_EQ(replay.status, 0) << replay.errors;
  for (std::size_t message = 0; message < sizes.size(); ++message) {
    const auto sample = subscriber.take().value();
    ASSERT_TRUE(sample) << message;
    EXPECT_EQ(sample.sequence(), message);
    EXPECT_TRUE(text_of(sample.payload()) == payload(message)) << message;
    EXPECT_TRUE(text_of(sample.header()) == header(message)) << message;
  }
  EXPECT_FALSE(subscriber.take().value());
}

TEST_F(Recording, ReplayStatesTheTypeAndDoesNotJoinWhoStatesAnother) {
  {
    auto writer = RecordingWriter::open(path_, Existing::refuse).value();
    const auto source = writer.source({.topic = "shm://camera", .type = TypeInfo{.name = "Image"}}).value();
    ASSERT_TRUE(writer.write({.source = source}));
    ASSERT_TRUE(writer.finish());
  }
  auto subscriber = node_.subscriber("shm://camera", {.type = TypeInfo{.name = "Sound"}}).value();
  const Outcome refused = run({"replay", path_, "--fast"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("Image"));
  EXPECT_THAT(refused.errors, HasSubstr("Sound"));
}

TEST_F(Recording, ReplayIsNeverEarlierThanTheRecording) {
  std::vector<std::chrono::steady_clock::time_point> published;
  {
    auto publisher = node_.publisher("shm://camera").value();
    auto witness = node_.subscriber("shm://camera").value();
    Program recorder({"record", "camera", "-o", path_, "-n", "4"});
    ASSERT_TRUE(publisher.wait_for_subscribers(2, never));
    ASSERT_EQ(run({"pub", "camera", "-w", "2", "-r", "20", "-n", "4", "tick"}).status, 0);
    ASSERT_EQ(recorder.end(), 0);
    for (auto sample = witness.take(); *sample; sample = witness.take()) published.push_back(sample->publish_time());
  }
  ASSERT_EQ(published.size(), 4U);
  const auto spread = published.back() - published.front();
  EXPECT_NEAR(describe(path_)["seconds"].get<double>(), std::chrono::duration<double>(spread).count(), 1e-6);
  auto subscriber = node_.subscriber("shm://camera").value();
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run({"replay", path_, "-w", "1"}).status, 0);
  for (const auto& moment : published) {
    const auto sample = subscriber.take().value();
    ASSERT_TRUE(sample);
    EXPECT_GE(sample.publish_time() - begin, moment - published.front());
  }
}

// A recording of days: only who does not wait for its times comes to its end within those of a test.
TEST_F(Recording, FastReplayAndOneFromTheEndWaitForNothing) {
  constexpr std::int64_t day = 86'400'000'000'000;
  {
    auto writer = RecordingWriter::open(path_, Existing::refuse).value();
    const auto source = writer.source({.topic = "shm://camera"}).value();
    for (std::int64_t message = 0; message < 3; ++message) {
      ASSERT_TRUE(writer.write({.source = source, .time = message * day}));
    }
    ASSERT_TRUE(writer.finish());
  }
  auto subscriber = node_.subscriber("shm://camera").value();
  EXPECT_THAT(run({"replay", path_, "--fast", "-w", "1"}).errors, HasSubstr("played 3 of 3"));
  EXPECT_THAT(run({"replay", path_, "--from", "172800", "-w", "1"}).errors, HasSubstr("played 1 of 3"));
  EXPECT_THAT(run({"replay", path_, "--speed", "1000000", "-w", "1"}).errors, HasSubstr("played 3 of 3"));
  for (int message = 0; message < 7; ++message) ASSERT_TRUE(subscriber.take().value());
  ASSERT_FALSE(subscriber.take().value());
  Program slow({"replay", path_, "-w", "1"});
  for (auto sample = subscriber.take(); !*sample; sample = subscriber.take()) ASSERT_TRUE(subscriber.wait(never));
  slow.signal(SIGINT);
  EXPECT_EQ(slow.end(), 0);
  EXPECT_THAT(slow.errors(), HasSubstr("played 1 of 3"));
}

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
  EXPECT_THAT(replay.errors, HasSubstr("did not end in order"));
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

TEST_F(Recording, SeveralTopicsGoIntoOneFileAndBackToTheirTopics) {
  {
    auto camera = node_.publisher("shm://camera").value();
    auto lidar = node_.publisher("shm://lidar").value();
    Program recorder({"record", "camera", "lidar", "-o", path_, "-n", "2"});
    ASSERT_TRUE(camera.wait_for_subscribers(1, never));
    ASSERT_TRUE(lidar.wait_for_subscribers(1, never));
    ASSERT_TRUE(camera.send(bytes_of("a")));
    ASSERT_TRUE(lidar.send(bytes_of("b")));
    ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  }
  EXPECT_EQ(describe(path_)["sources"].size(), 2U);
  const Outcome refused = run({"replay", path_, "--to", "camera"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.errors, HasSubstr("has 2"));
  auto camera = node_.subscriber("shm://camera").value();
  auto lidar = node_.subscriber("shm://lidar").value();
  ASSERT_EQ(run({"replay", path_, "--fast", "-w", "1"}).status, 0);
  EXPECT_EQ(text_of(camera.take()->payload()), "a");
  EXPECT_EQ(text_of(lidar.take()->payload()), "b");
}

TEST_F(Recording, LosslessSubscriberHoldsAReplayBackThatGrantsIt) {
  record(6);
  auto subscriber = node_.subscriber("shm://camera?policy=lossless&depth=2").value();
  Program replay({"replay", path_, "--fast", "--options", "grant=block&depth=2", "-w", "1"});
  for (int message = 0; message < 6; ++message) {
    ASSERT_TRUE(subscriber.wait(never));
    const auto sample = subscriber.take().value();
    if (!sample) {
      --message;
      continue;
    }
    EXPECT_EQ(text_of(sample.payload()), std::to_string(message));
    EXPECT_EQ(sample.lost_before(), 0U);
  }
  EXPECT_EQ(replay.end(), 0) << replay.errors();
}

TEST_F(Recording, TopicsOfZeromqAreRecordedAndReplayedOverShm) {
  const std::string feed = "zmq+ipc://" + root_.path() + "/feed";
  Program recorder({"record", feed, "-o", path_, "-n", "2"});
  ASSERT_EQ(run({"pub", feed, "-w", "1", "one", "two"}).status, 0);
  ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  EXPECT_EQ(describe(path_)["messages"], 2);
  auto subscriber = node_.subscriber("shm://camera").value();
  ASSERT_EQ(run({"replay", path_, "--fast", "--to", "camera", "-w", "1"}).status, 0);
  EXPECT_EQ(text_of(subscriber.take()->payload()), "one");
  EXPECT_EQ(text_of(subscriber.take()->payload()), "two");
}

TEST_F(Recording, InterruptedRecorderLeavesACompleteFile) {
  auto publisher = node_.publisher("shm://camera").value();
  Program recorder({"record", "camera", "-o", path_});
  ASSERT_TRUE(recorder.notes("recording to"));
  recorder.signal(SIGINT);
  EXPECT_EQ(recorder.end(), 0);
  EXPECT_EQ(describe(path_)["complete"], true);
}

TEST_F(Recording, TimeThatIsUpBeforeTheMessagesCameIsAnErrorAndTheFileIsComplete) {
  auto publisher = node_.publisher("shm://camera").value();
  const Outcome outcome = run({"record", "camera", "-o", path_, "-n", "1", "-t", "0.01"});
  EXPECT_EQ(outcome.status, 7);
  EXPECT_THAT(outcome.errors, HasSubstr("0 of 1 messages"));
  EXPECT_EQ(describe(path_)["complete"], true);
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

}  // namespace
}  // namespace weir::tool::testing
