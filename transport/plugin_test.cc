// The host's side of plugin.h, on a plug-in in C that does nothing, and on inproc as a library.
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/backend.h"
#include "transport/node.h"
#include "transport/plugin_loader.h"
#include "transport/plugin_test_backend.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

Node node_of(const weir_plugin& table) { return std::move(*Node::open({*open_plugin(&table, "nothing.so")})); }
Node node_of_nothing() { return node_of(*nothing_plugin()); }

class Plugin : public ::testing::Test {
 protected:
  void SetUp() override { nothing_calls[0] = '\0'; }
};

TEST_F(Plugin, AnotherMajorVersionIsRefused) {
  weir_plugin table = *nothing_plugin();
  ++table.major;
  const auto opened = open_plugin(&table, "nothing.so");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::incompatible);
  EXPECT_THAT(opened.error().message(), HasSubstr("nothing.so"));
  EXPECT_THAT(opened.error().message(),
              HasSubstr(fmt::format("version {}.{}", WEIR_PLUGIN_MAJOR + 1, WEIR_PLUGIN_MINOR)));
}

TEST_F(Plugin, ALaterMinorVersionIsReadAsFarAsItIsKnown) {
  struct Later {
    weir_plugin known;
    void (*more)();
  } table{*nothing_plugin(), nullptr};
  table.known.struct_size = sizeof(table);
  ++table.known.minor;
  EXPECT_TRUE(open_plugin(&table.known, "nothing.so"));
}

TEST_F(Plugin, FieldsBeyondItsSizeAreNotRead) {
  weir_plugin table = *nothing_plugin();
  table.struct_size = offsetof(weir_plugin, release_stop);
  const auto opened = open_plugin(&table, "nothing.so");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::incompatible);
  EXPECT_THAT(opened.error().message(), HasSubstr("lacks the function release_stop"));
}

TEST_F(Plugin, AMissingFunctionIsNamed) {
  weir_plugin table = *nothing_plugin();
  table.take = nullptr;
  const auto opened = open_plugin(&table, "nothing.so");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr("lacks the function take"));
}

TEST_F(Plugin, WhatCannotBeLoadedIsNotFound) {
  const auto opened = load_plugin("./no-such-library.so");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::not_found);
  EXPECT_THAT(opened.error().message(), HasSubstr("no-such-library.so"));
}

TEST_F(Plugin, ALibraryThatIsNoPluginIsRefused) {
  const auto opened = load_plugin("libm.so.6");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::incompatible);
  EXPECT_THAT(opened.error().message(), HasSubstr("weir_plugin_entry"));
}

TEST_F(Plugin, CapabilitiesAreReadByNameAndUnknownOnesPassedOver) {
  const Capabilities promised = *node_of_nothing().capabilities("nothing://topic");
  EXPECT_TRUE(promised.sequence);
  EXPECT_EQ(promised.max_depth, 8U);
  EXPECT_EQ(promised.max_history, unlimited);
  EXPECT_FALSE(promised.zero_copy);
  EXPECT_EQ(promised.membership, MembershipView::none);
}

TEST_F(Plugin, SettingsArriveResolved) {
  Node node = node_of_nothing();
  auto subscriber =
      node.subscriber("nothing://a%20topic?color=red", {.name = "sink", .depth = 3, .type = TypeInfo{"T", 1, 2, 3}});
  ASSERT_TRUE(subscriber) << subscriber.error().message();
  const std::string calls = nothing_calls;
  EXPECT_THAT(calls, HasSubstr("join nothing://a topic\n"));
  for (const char* setting :
       {"name=\"sink\"", "policy=\"drop_oldest\"", "depth=3", "history=0", "durability=\"volatile\"", "held=64",
        "type=\"T\"", "type.size=1", "type.alignment=2", "type.fingerprint=3", "color=\"red\""}) {
    EXPECT_THAT(calls, HasSubstr(std::string("  ") + setting + "\n"));
  }
  EXPECT_FALSE(node.subscriber("nothing://topic?shape=round"));
}

TEST_F(Plugin, AnErrorKeepsItsCodeAndItsText) {
  Node node = node_of_nothing();
  const auto refused = node.publisher("nothing://refused");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  EXPECT_EQ(refused.error().message(), "topic \"refused\": it is always refused: take another");
  const auto odd = node.publisher("nothing://odd");
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code(), ErrorCode::internal);
  EXPECT_THAT(odd.error().message(), HasSubstr("4711"));
}

TEST_F(Plugin, ANulInANameIsRefused) {
  const auto refused = node_of_nothing().publisher("nothing://topic", {.name = std::string("a\0b", 3)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
}

TEST_F(Plugin, WhatItLacksIsUnsupported) {
  Node node = node_of_nothing();
  Publisher publisher = *node.publisher("nothing://topic");
  EXPECT_EQ(publisher.next_event().error().code(), ErrorCode::unsupported);
  EXPECT_EQ(publisher.peers().error().code(), ErrorCode::unsupported);
  EXPECT_THAT(publisher.peers().error().message(), HasSubstr("nothing://topic"));
  EXPECT_EQ(publisher.wait_for_subscribers(1, at_once).error().code(), ErrorCode::unsupported);
  EXPECT_EQ(publisher.next_sequence(), spi::no_sequence);
  EXPECT_EQ(node.topics("nothing://").error().code(), ErrorCode::unsupported);
  EXPECT_EQ(node.remove("nothing://topic").error().code(), ErrorCode::unsupported);
  EXPECT_EQ(publisher.fd().error().code(), ErrorCode::resource_exhausted);
}

TEST_F(Plugin, RecordsArriveAsTheyWereGiven) {
  Node node = node_of_nothing();
  Publisher publisher = *node.publisher("nothing://topic");
  EXPECT_EQ(publisher.id(), 7U);
  auto loan = publisher.loan(20);
  ASSERT_TRUE(loan);
  ASSERT_TRUE(loan->shrink(10));
  EXPECT_EQ(loan->publish(at_once).error().code(), ErrorCode::back_pressure);
  EXPECT_EQ(*loan->publish(), 13U);
  EXPECT_EQ(publisher.loan(65).error().code(), ErrorCode::limit_exceeded);
  Subscriber subscriber = *node.subscriber("nothing://topic?depth=3");
  const Sample sample = *subscriber.take();
  EXPECT_EQ(sample.payload().size(), 5U);
  EXPECT_EQ(sample.publisher(), 9U);
  EXPECT_EQ(sample.sequence(), 11U);
  EXPECT_EQ(sample.lost_before(), 2U);
  EXPECT_EQ(sample.publish_time().time_since_epoch(), std::chrono::nanoseconds(123));
}

TEST_F(Plugin, AStopTokenInterruptsItsWaits) {
  Subscriber subscriber = *node_of_nothing().subscriber("nothing://topic?depth=3");
  std::stop_source stop;
  EXPECT_EQ(*subscriber.wait(at_once, stop.get_token()), Wake::deadline);
  EXPECT_EQ(*subscriber.wait(never, stop.get_token()), Wake::ready);
  stop.request_stop();
  EXPECT_EQ(*subscriber.wait(never, stop.get_token()), Wake::interrupted);
}

TEST_F(Plugin, ABackendIsReleasedAfterItsLastSample) {
  Sample sample;
  {
    Node node = node_of_nothing();
    Publisher publisher = *node.publisher("nothing://topic");
    { const Loan dropped = *publisher.loan(1); }
    Subscriber subscriber = *node.subscriber("nothing://topic?depth=3");
    sample = *subscriber.take();
    nothing_calls[0] = '\0';
  }
  EXPECT_STREQ(nothing_calls, "close\nclose\nrelease_port\n");  // the subscriber's stays
  sample.release();
  EXPECT_STREQ(nothing_calls, "close\nclose\nrelease_port\nrelease\nrelease_port\nrelease_backend\n");
}

TEST_F(Plugin, ALibraryServesItsTopics) {
  const char* directory = std::getenv("TEST_SRCDIR");
  const std::string path = std::string(directory == nullptr ? "bazel-bin" : directory) +
                           (directory == nullptr ? "" : "/weir") + "/transport/inproc/libweir_inproc.so";
  auto library = load_plugin(path);
  ASSERT_TRUE(library) << library.error().message();
  Node node = *Node::open({*library});
  EXPECT_THAT(node.schemes(), ::testing::ElementsAre("inproc"));
  EXPECT_EQ(*node.capabilities("inproc://"), inproc::InprocBackend().capabilities({}));
  Publisher publisher = *node.publisher("inproc://topic", {.name = "source", .history = 2});
  Subscriber subscriber = *node.subscriber("inproc://topic", {.history = 1});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  const std::string text = "message";
  EXPECT_EQ(*publisher.send(std::as_bytes(std::span(text))), 0U);
  EXPECT_EQ(*subscriber.wait(never), Wake::ready);
  const Sample sample = *subscriber.take();
  ASSERT_TRUE(sample);
  EXPECT_EQ(std::memcmp(sample.payload().data(), text.data(), text.size()), 0);
  EXPECT_EQ(sample.publisher(), publisher.id());
  const auto event = *subscriber.next_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->change, Change::joined);
  EXPECT_EQ(event->peer.name, "source");
  const auto topics = *node.topics("inproc://");
  ASSERT_EQ(topics.size(), 1U);
  EXPECT_EQ(topics.front().topic, "topic");
  EXPECT_EQ(topics.front().peers.size(), 2U);
  EXPECT_EQ(publisher.peers()->size(), 1U);
  const auto refused = node.subscriber("inproc://topic", {.policy = SlowPolicy::lossless});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(*subscriber.wait(never, stop.get_token()), Wake::interrupted);
}

}  // namespace
}  // namespace weir
