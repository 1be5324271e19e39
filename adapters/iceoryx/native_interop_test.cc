// The examples that libiceoryx-posh-dev installs, compiled unmodified, as peers in both directions.
#include <array>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "adapters/iceoryx/testing/program.h"
#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

// As in the examples' topic_data.hpp.
struct RadarObject {
  double x, y, z;
};

constexpr std::string_view radar = "iceoryx://Radar/FrontLeft/Object";

template <class T>
T payload_of(const Sample& sample) {
  T value{};
  EXPECT_EQ(sample.payload().size(), sizeof(T));
  std::memcpy(&value, sample.payload().data(), std::min(sizeof(T), sample.payload().size()));
  return value;
}

template <class T>
void send(Publisher& publisher, const T& value) {
  must(publisher.send(std::as_bytes(std::span(&value, 1))), "send");
}

class NativeInterop : public RoudiTest {
 protected:
  static std::string native(std::string_view name) { return fmt::format("adapters/iceoryx/native_{}", name); }

  // A native publisher's stream, seen from its second sample on at the latest: complete, in order, and its own numbers.
  void expect_stream_of(std::string_view name, std::string_view uri, std::size_t payload_size) {
    Subscriber subscriber = this->subscriber(uri);
    Program program(native(name));
    for (std::uint64_t number = 0; number < 3; ++number) {
      const Sample sample = next(subscriber);
      EXPECT_EQ(sample.sequence(), number);
      EXPECT_EQ(sample.lost_before(), 0U);
      EXPECT_EQ(sample.payload().size(), payload_size);
      EXPECT_NE(sample.publisher(), 0U);
    }
    EXPECT_EQ(program.end(), "");
  }

  // Three values of ours, told back by a native subscriber.
  void expect_received_by(std::string_view name, std::string_view uri) {
    Publisher publisher = this->publisher(uri);
    Program program(native(name));
    must(publisher.wait_for_subscribers(1, after(patience)), "waiting for the native subscriber");
    for (int number = 101; number < 104; ++number) {
      const double value = number;
      send(publisher, RadarObject{value, value, value});
    }
    for (int number = 101; number < 104; ++number) program.expect(fmt::format("got value: {}", number));
    EXPECT_EQ(program.end(), "");
  }
};

TEST_F(NativeInterop, TypedPublisherIsReceivedFromItsFirstSample) {
  Subscriber subscriber = this->subscriber(radar);
  Program program(native("icedelivery_publisher"));
  // Each round it sends five ways: 90, 145, 234, 1, 378.
  for (const double expected : {90.0, 145.0, 234.0, 1.0, 378.0, 91.0}) {
    const Sample sample = next(subscriber);
    EXPECT_EQ(payload_of<RadarObject>(sample).x, expected);
    EXPECT_EQ(payload_of<RadarObject>(sample).z, expected);
    EXPECT_EQ(sample.lost_before(), 0U);
  }
  EXPECT_EQ(program.end(), "");
}

TEST_F(NativeInterop, LossOfANativePublisherIsExact) {
  Subscriber subscriber = this->subscriber(radar, {.depth = 1});
  Program program(native("icedelivery_publisher"));
  program.expect("sent values: 90");
  program.expect("sent values: 91");  // ten are out, and the queue holds one
  const Sample sample = next(subscriber);
  EXPECT_EQ(sample.sequence(), 9U);
  EXPECT_EQ(sample.lost_before(), 9U);
  EXPECT_EQ(payload_of<RadarObject>(sample).x, 379.0);
  EXPECT_EQ(program.end(), "");
}

TEST_F(NativeInterop, UntypedPublisherIsReceived) {
  expect_stream_of("icedelivery_publisher_untyped", radar, sizeof(RadarObject));
}

TEST_F(NativeInterop, PublisherInCIsReceived) {
  expect_stream_of("icedelivery_in_c_publisher", radar, sizeof(RadarObject));
}

TEST_F(NativeInterop, LateJoinerGetsTheHistoryOfANativePublisher) {
  Program program(native("iceoptions_publisher"));
  for (int number = 1; number <= 4; ++number) program.expect(fmt::format("sent value: {}", number));
  Subscriber subscriber = this->subscriber(radar, {.depth = 10, .history = 3});
  // Its numbers begin with 0, its values with 1.
  for (double expected = 2; expected < 6; ++expected) {
    const Sample sample = next(subscriber);
    const double value = payload_of<RadarObject>(sample).x;
    EXPECT_EQ(static_cast<double>(sample.sequence()) + 1, value);
    EXPECT_GE(value, expected);  // a fifth may have come before the join
    EXPECT_EQ(sample.lost_before(), 0U);
  }
  EXPECT_EQ(program.end(), "");
}

TEST_F(NativeInterop, NativePublisherThatWaitsForConsumersLosesNothing) {
  Subscriber subscriber = this->subscriber(radar, {.policy = SlowPolicy::lossless, .depth = 1});
  Program program(native("iceoptions_publisher"));
  // It offers after it was made, so its first sample may come before RouDi has connected it: announced all the same.
  const Sample first = next(subscriber);
  double expected = payload_of<RadarObject>(first).x;
  EXPECT_EQ(static_cast<double>(first.lost_before()) + 1, expected);
  for (int count = 0; count < 3; ++count) {
    const Sample sample = next(subscriber);
    EXPECT_EQ(payload_of<RadarObject>(sample).x, ++expected);
    EXPECT_EQ(sample.lost_before(), 0U);
  }
  EXPECT_EQ(program.end(), "");
}

TEST_F(NativeInterop, TypedSubscriberReceives) { expect_received_by("icedelivery_subscriber", radar); }
TEST_F(NativeInterop, UntypedSubscriberReceives) { expect_received_by("icedelivery_subscriber_untyped", radar); }
TEST_F(NativeInterop, SubscriberInCReceives) { expect_received_by("icedelivery_in_c_subscriber", radar); }

TEST_F(NativeInterop, NativeSubscriberWithHistoryGetsOurs) {
  Publisher publisher = this->publisher(radar, {.grant = Grant::block, .history = 5});
  for (double value = 1; value <= 8; ++value) send(publisher, RadarObject{value, value, value});
  Program program(native("iceoptions_subscriber"));
  for (const int value : {4, 5, 6, 7, 8}) {
    EXPECT_THAT(program.expect("got value: "), ::testing::EndsWith(fmt::format(" {}", value)));
  }
  EXPECT_EQ(program.end(), "");
}

TEST_F(NativeInterop, NativeSubscriberThatBlocksProducersHoldsOursBack) {
  Publisher publisher = this->publisher(radar, {.grant = Grant::block, .deadline = std::chrono::milliseconds(1)});
  Program program(native("iceoptions_subscriber"));
  must(publisher.wait_for_subscribers(1, after(patience)), "waiting for the native subscriber");
  program.signal(SIGSTOP);  // shorter than RouDi needs to notice
  int accepted = 0;
  ErrorCode refusal = ErrorCode::internal;
  for (bool refused = false; !refused && accepted < 100;) {
    const double value = accepted;
    const RadarObject object{value, value, value};
    const auto sent = publisher.send(std::as_bytes(std::span(&object, 1)));
    refused = !sent;
    if (refused) refusal = sent.error().code();
    if (!refused) ++accepted;
  }
  program.signal(SIGCONT);
  EXPECT_EQ(refusal, ErrorCode::back_pressure);
  EXPECT_GE(accepted, 10);  // its queue
  EXPECT_LE(accepted, 11);  // and one that it may have taken
  EXPECT_EQ(must(publisher.wait(after(patience)), "wait"), Wake::ready);
  for (int value = 0; value < 3; ++value) {
    EXPECT_THAT(program.expect("got value: "), ::testing::EndsWith(fmt::format(" {}", value)));
  }
  EXPECT_EQ(program.end(), "");
}

constexpr std::string_view header_topic = "iceoryx://Example/User-Header/Timestamp";

class UserHeaders : public NativeInterop, public ::testing::WithParamInterface<const char*> {};
class UserHeaderPublishers : public UserHeaders {};
class UserHeaderSubscribers : public UserHeaders {};

TEST_P(UserHeaderPublishers, AreReceivedWithTheirHeader) {
  Subscriber subscriber = this->subscriber(header_topic);
  Program program(native(GetParam()));
  std::uint64_t first_stamp = 0;
  std::uint64_t number = 0;
  for (const std::uint64_t fibonacci : {1U, 2U, 3U}) {
    const Sample sample = next(subscriber);
    EXPECT_EQ(payload_of<std::uint64_t>(sample), fibonacci);
    ASSERT_EQ(sample.header().size(), sizeof(std::uint64_t));
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, sample.header().data(), sizeof(stamp));
    if (number == 0) first_stamp = stamp;
    EXPECT_EQ(stamp, first_stamp + 1000 * number++);
  }
  EXPECT_EQ(program.end(), "");
}
INSTANTIATE_TEST_SUITE_P(Native, UserHeaderPublishers,
                         ::testing::Values("user_header_publisher", "user_header_publisher_untyped",
                                           "user_header_publisher_in_c"));

TEST_P(UserHeaderSubscribers, ReceiveOurHeader) {
  Publisher publisher = this->publisher(header_topic);
  Program program(native(GetParam()));
  must(publisher.wait_for_subscribers(1, after(patience)), "waiting for the native subscriber");
  for (std::uint64_t number = 501; number < 504; ++number) {
    const std::uint64_t stamp = number * 10;
    must(publisher.send(std::as_bytes(std::span(&number, 1)), std::as_bytes(std::span(&stamp, 1))), "send");
  }
  for (const int number : {501, 502, 503}) {
    program.expect(fmt::format("got value: {} with timestamp {}ms", number, number * 10));
  }
  EXPECT_EQ(program.end(), "");
}
INSTANTIATE_TEST_SUITE_P(Native, UserHeaderSubscribers,
                         ::testing::Values("user_header_subscriber", "user_header_subscriber_untyped",
                                           "user_header_subscriber_in_c"));

constexpr std::string_view counter = "iceoryx://Radar/FrontLeft/Counter";

TEST_F(NativeInterop, WaitSetPublisherWakesUs) {
  expect_stream_of("waitset_publisher", counter, sizeof(std::uint32_t));
}

TEST_F(NativeInterop, WaitSetSubscriberIsWokenByUs) {
  Publisher publisher = this->publisher(counter);
  Program program(native("waitset_basic"));
  must(publisher.wait_for_subscribers(1, after(patience)), "waiting for the native subscriber");
  // Each is taken before the next is sent, so each has to wake it.
  for (const std::uint32_t value : {7U, 8U, 9U}) {
    send(publisher, value);
    program.expect(fmt::format("got value: {}", value));
  }
  EXPECT_EQ(program.end(), "");
}

TEST_F(NativeInterop, IntrospectionShowsOurPorts) {
  Publisher publisher = this->publisher("iceoryx://SeenOut/Here/Now");
  Subscriber subscriber = this->subscriber("iceoryx://SeenIn/Here/Now");
  // It draws on a terminal, so one is made for it; what it draws begins with escapes, of which lines are made.
  Program client("/bin/sh", {"-c",
                             "script -qfec 'TERM=xterm LINES=60 COLUMNS=200 iox-introspection-client --port' /dev/null "
                             "| stdbuf -o0 tr '\\033' '\\n'"});
  client.expect("SeenOut");
  client.expect("SeenIn");
}

}  // namespace
}  // namespace weir::iceoryx
