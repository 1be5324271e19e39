// record and replay, as a person runs them.
#include <chrono>
#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tools/weir/recording_writer.h"
#include "tools/weir/test_recording.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

// Bytes that differ from those of every other message.
std::string content(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; ++at) {
    text[at] = static_cast<char>((at * 31 + at / 251 + std::size_t{seed} * 17) & 0xffU);
  }
  return text;
}

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

// All of it is there before the recorder looks for the first time, so it would have all if it went on until none is
// left.
TEST_F(Recording, TimeIsKeptThoughTheTopicNeverRunsEmpty) {
  constexpr std::uint64_t many = 32768;
  auto publisher = node_.publisher(fmt::format("shm://camera?history={0}&depth={0}", many)).value();
  for (std::uint64_t message = 0; message < many; ++message) ASSERT_TRUE(publisher.send(bytes_of("message")));
  const Outcome outcome =
      run({"record", fmt::format("camera?history={0}&depth={0}", many), "-o", path_, "-t", "0.001"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_LT(describe(path_)["messages"], many);
}

TEST_F(Recording, MessagesWithoutATimeOfPublicationHaveThatOfTheirArrival) {
  const auto now = [] { return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count(); };
  const auto begin = now();
  auto publisher = node_.publisher("shm://camera?publish_time=no").value();
  Program recorder({"record", "camera", "-o", path_, "-n", "2"});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  for (const char* message : {"one", "two"}) ASSERT_TRUE(publisher.send(bytes_of(message)));
  ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  const Json described = describe(path_);
  constexpr std::int64_t reading = 1'000'000'000;  // of two clocks, one after the other
  EXPECT_GE(described["first"], begin - reading);
  EXPECT_LE(described["last"], now() + reading);
}

}  // namespace
}  // namespace weir::tool::testing
