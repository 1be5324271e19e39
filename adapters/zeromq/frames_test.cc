// What frames become of messages, and messages of frames.
#include "adapters/zeromq/frames.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zmq.hpp>

#include "adapters/zeromq/envelope.h"
#include "adapters/zeromq/losses.h"
#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

TEST(FrameTable, IsReadAsItWasWritten) {
  const std::vector<std::uint64_t> sizes{3, 0, 5};
  EXPECT_EQ(read_frame_table(make_frame_table(sizes)), sizes);
  EXPECT_TRUE(read_frame_table(bytes("a topic")).empty());
  EXPECT_TRUE(read_frame_table({}).empty());
  EXPECT_TRUE(read_frame_table(make_frame_table({})).empty());
  const auto frames = frames_of(make_frame_table(sizes), bytes("abcdefgh"));
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(text(frames[0]) + '|' + text(frames[1]) + '|' + text(frames[2]), "abc||defgh");
}

TEST(FrameTable, AMessageWithoutATableIsItsHeaderAndPayload) {
  EXPECT_EQ(frames_of({}, bytes("alone")).size(), 1U);
  EXPECT_EQ(frames_of(bytes("topic"), bytes("payload")).size(), 2U);
  const std::vector<std::uint64_t> too_many{100};
  EXPECT_EQ(frames_of(make_frame_table(too_many), bytes("short")).size(), 2U);
}

TEST(EnvelopeFrame, IsReadAsItWasWritten) {
  const Envelope envelope{.publisher = 0x0123456789abcdef, .sequence = 7, .time = 1ULL << 60U, .clock = 0xfeedbeef};
  std::array<std::byte, envelope_size> frame{};
  write_envelope(frame, envelope);
  EXPECT_EQ(read_envelope(frame), envelope);
  EXPECT_EQ(text(std::span(frame).first(4)), "weir");
  EXPECT_FALSE(read_envelope(std::span(frame).first(32)));
  frame[4] = std::byte{2};
  EXPECT_FALSE(read_envelope(frame)) << "of a later version";
}

TEST(LossesOfPublishers, AreTheGapsOfEach) {
  Losses losses;
  EXPECT_EQ(losses.account(1, 100), 0U) << "what was before the first is no loss";
  EXPECT_EQ(losses.account(2, 0), 0U);
  EXPECT_EQ(losses.account(1, 101), 0U);
  EXPECT_EQ(losses.account(1, 105), 3U);
  EXPECT_EQ(losses.account(2, 2), 1U);
  EXPECT_EQ(losses.account(1, 104), 0U) << "by a second way";
  EXPECT_EQ(losses.account(1, 106), 0U);
  for (PeerId other = 10; other < 10 + 3 * Losses::most_publishers; ++other) EXPECT_EQ(losses.account(other, 5), 0U);
  EXPECT_EQ(losses.account(1, 200), 0U) << "forgotten by now";
}

// A native socket at the other end, within the process: what it sends and gets are plain frames.
class FramesOnTheWire : public ::testing::Test {
 protected:
  void send(const std::vector<std::string>& frames) {
    for (std::size_t at = 0; at < frames.size(); ++at) {
      native_.send(zmq::buffer(frames[at]), at + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  Subscriber subscribe(const std::string& options, zmq::socket_type type = zmq::socket_type::xpub) {
    native_ = zmq::socket_t(context_, type);
    native_.bind(directory_.ipc("wire"));
    Subscriber subscriber = must(node_.subscriber("zmq+" + directory_.ipc("wire") + options));
    zmq::message_t subscription;
    EXPECT_TRUE(native_.recv(subscription));
    return subscriber;
  }
  Publisher publish(const std::string& options, const std::string& filter = "") {
    Publisher publisher = must(node_.publisher("zmq+" + directory_.ipc("wire") + options));
    native_ = zmq::socket_t(context_, zmq::socket_type::sub);
    native_.set(zmq::sockopt::subscribe, filter);
    native_.connect(directory_.ipc("wire"));
    must(publisher.wait_for_subscribers(1, soon()));
    return publisher;
  }
  std::vector<std::string> receive() {
    std::vector<std::string> frames;
    zmq::message_t frame;
    do {
      EXPECT_TRUE(native_.recv(frame));
      frames.push_back(frame.to_string());
    } while (frame.more());
    return frames;
  }
  static std::vector<std::string> frames_of_sample(const Sample& sample) {
    std::vector<std::string> all;
    for (const auto frame : frames_of(sample.header(), sample.payload())) all.push_back(text(frame));
    return all;
  }

  const ShortDirectory directory_;
  zmq::context_t context_;
  zmq::socket_t native_;
  Node node_ = must(Node::open());
};

using Words = std::vector<std::string>;

TEST_F(FramesOnTheWire, MessagesOfAnyNumberOfFramesAreDeliveredWhole) {
  const std::vector<Words> all{{"one"},
                               {"topic", "payload"},
                               {"a", "", "c"},
                               {"", ""},
                               {"header", std::string(100'000, 'x'), std::string(70'000, 'y'), "tail"}};
  for (const std::string_view options : {"", "?frames=topic", "?frames=table", "?envelope=1", "?alignment=64"}) {
    Subscriber subscriber = subscribe(std::string(options));
    for (const Words& words : all) {
      send(words);
      const Sample sample = next(subscriber);
      const bool as_topic = options == "?frames=topic" && words.size() == 2;
      // An empty topic is no header.
      EXPECT_EQ(frames_of_sample(sample), as_topic && words[0].empty() ? Words{words[1]} : words) << options;
      EXPECT_EQ(read_frame_table(sample.header()).size(), words.size() == 1 || as_topic ? 0 : words.size());
      EXPECT_EQ(sample.sequence(), spi::no_sequence);
      if (options == "?alignment=64") {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sample.payload().data()) % 64, 0U);
      }
    }
    native_.close();
  }
}

TEST_F(FramesOnTheWire, WithinAProcessTheVeryMemoryArrivesThatWasLent) {
  const std::string uri = "zmq+inproc://" + directory_.path();
  Publisher publisher = must(node_.publisher(uri));
  Subscriber subscriber = must(node_.subscriber(uri));
  must(publisher.wait_for_subscribers(1, soon()));
  for (const std::size_t size : {64U, 4096U, 1U << 20U}) {
    auto loan = must(publisher.loan(size));
    const std::byte* lent = loan.payload().data();
    must(loan.publish());
    EXPECT_EQ(next(subscriber).payload().data(), lent) << size << " bytes";
  }
}

TEST_F(FramesOnTheWire, TopicAndPayloadAreTwoFrames) {
  Publisher publisher = publish("?frames=topic");
  must(publisher.send(bytes("payload"), bytes("topic")));
  EXPECT_EQ(receive(), (Words{"topic", "payload"}));
  must(publisher.send(bytes("payload")));
  EXPECT_EQ(receive(), (Words{"", "payload"}));
}

TEST_F(FramesOnTheWire, ATableSendsAnyNumberOfFrames) {
  Publisher publisher = publish("?frames=table");
  for (const std::size_t large : {std::size_t{5}, std::size_t{200'000}}) {
    const std::vector<std::uint64_t> sizes{3, 0, large};
    const std::string payload = "abc" + std::string(large, 'x');
    must(publisher.send(bytes(payload), make_frame_table(sizes)));
    EXPECT_EQ(receive(), (Words{"abc", "", std::string(large, 'x')}));
  }
  must(publisher.send(bytes("alone")));
  EXPECT_EQ(receive(), (Words{"alone"}));
  const std::vector<std::uint64_t> wrong{3, 3};
  EXPECT_TRUE(fails(publisher.send(bytes("five!"), make_frame_table(wrong)), ErrorCode::invalid_argument, {"table"}));
  EXPECT_TRUE(fails(publisher.send(bytes("five!"), bytes("nonsense")), ErrorCode::invalid_argument, {"table"}));
  must(publisher.send(bytes("still works")));
  EXPECT_EQ(receive(), (Words{"still works"}));
}

TEST_F(FramesOnTheWire, TheEnvelopeTrailsSoThatPrefixesStillMatch) {
  Publisher publisher = publish("?envelope=1&frames=topic", "wanted");
  must(publisher.send(bytes("none"), bytes("unwanted")));
  must(publisher.send(bytes("first"), bytes("wanted/1")));
  const Words frames = receive();
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0] + ' ' + frames[1], "wanted/1 first");
  const auto envelope = read_envelope(bytes(frames[2]));
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->sequence, 1U);
  EXPECT_EQ(envelope->publisher, publisher.id());
  EXPECT_EQ(envelope->clock, this_clock());
}

TEST_F(FramesOnTheWire, AnEnvelopeOfAnotherMachineHasNoTimeHere) {
  Subscriber subscriber = subscribe("?envelope=1");
  for (const bool elsewhere : {false, true}) {
    const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    std::array<std::byte, envelope_size> frame{};
    write_envelope(frame, {.publisher = 5,
                           .sequence = elsewhere ? 9U : 3U,
                           .time = now,
                           .clock = elsewhere ? ~this_clock() : this_clock()});
    send({"payload", text(frame)});
    const Sample sample = next(subscriber);
    EXPECT_EQ(text(sample.payload()), "payload");
    EXPECT_TRUE(sample.header().empty());
    EXPECT_EQ(sample.publisher(), 5U);
    EXPECT_EQ(sample.sequence(), elsewhere ? 9U : 3U);
    EXPECT_EQ(sample.lost_before(), elsewhere ? 5U : 0U);
    EXPECT_EQ(sample.publish_time().time_since_epoch().count(), elsewhere ? 0 : static_cast<std::int64_t>(now));
  }
}

TEST_F(FramesOnTheWire, FiltersLookAtTheFirstFrameAndMayHaveCommas) {
  Publisher publisher = must(node_.publisher("zmq+" + directory_.ipc("filtered")));
  Subscriber subscriber =
      must(node_.subscriber("zmq+" + directory_.ipc("filtered"), {.extra = {{"filter", R"(a\,b,c\\d)"}}}));
  must(publisher.wait_for_subscribers(2, soon()));
  for (const char* word : {"a", "a,b!", "b", R"(c\d!)", "cd"}) must(publisher.send(bytes(word)));
  EXPECT_EQ(text(next(subscriber).payload()), "a,b!");
  EXPECT_EQ(text(next(subscriber).payload()), R"(c\d!)");
}

}  // namespace
}  // namespace weir::zeromq
