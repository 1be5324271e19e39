// Messages over every backend that a test can open by itself; iceoryx and processes are in //examples/acknowledged.
#include <optional>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/protobuf/proto_publisher.h"
#include "adapters/protobuf/proto_subscriber.h"
#include "adapters/protobuf/testing/orders.pb.h"
#include "adapters/protobuf/testing/strict.pb.h"
#include "conformance/performance/temporary_root.h"

namespace weir::protobuf {
namespace {

using testing::Order;
using testing::Strict;

Deadline soon() { return after(std::chrono::seconds(60)); }  // only a watchdog

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

Order order(std::uint64_t id) {
  Order order;
  order.set_id(id);
  order.set_side(Order::SELL);
  order.add_legs()->set_instrument(fmt::format("leg of {}", id));
  order.mutable_legs(0)->set_price(0.5 * static_cast<double>(id));
  order.set_attachment(std::string(id % 5000, 'x'));
  return order;
}

class Messages : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static bool knows_types() { return must(Node::open()).capabilities(GetParam())->types; }

  const performance::TemporaryRoot root_;
  Node node_ = must(Node::open());
};

template <class M>
ProtoSample<M> next(ProtoSubscriber<M>& subscriber) {
  while (must(subscriber.wait(soon())) == Wake::ready) {
    if (auto sample = must(subscriber.take())) return sample;
  }
  throw std::runtime_error("no message came");
}

TEST_P(Messages, ArriveAsTheyWereSent) {
  auto publisher = must(ProtoPublisher<Order>::open(node_, GetParam()));
  auto subscriber = must(ProtoSubscriber<Order>::open(node_, GetParam()));
  must(publisher.untyped().wait_for_subscribers(1, soon()));
  for (std::uint64_t id = 0; id < 6000; id += 1999) {  // some in the slot, some in chunks
    must(publisher.send(order(id)));
    const ProtoSample<Order> received = next(subscriber);
    EXPECT_EQ(received->SerializeAsString(), order(id).SerializeAsString());
  }
  EXPECT_EQ(publisher.states_type(), knows_types());
  EXPECT_EQ(subscriber.states_type(), knows_types());
}

TEST_P(Messages, AreTheBytesOfSerializeToString) {
  auto publisher = must(ProtoPublisher<Order>::open(node_, GetParam()));
  Subscriber plain = must(node_.subscriber(GetParam()));
  must(publisher.untyped().wait_for_subscribers(1, soon()));
  must(publisher.send(order(7)));
  ASSERT_EQ(must(plain.wait(soon())), Wake::ready);
  const Sample sample = must(plain.take());
  const std::string bytes(reinterpret_cast<const char*>(sample.payload().data()), sample.payload().size());
  EXPECT_EQ(bytes, order(7).SerializeAsString());
}

TEST_P(Messages, AnEmptyOneIsAMessageToo) {
  auto publisher = must(ProtoPublisher<Order>::open(node_, GetParam()));
  auto subscriber = must(ProtoSubscriber<Order>::open(node_, GetParam()));
  must(publisher.untyped().wait_for_subscribers(1, soon()));
  must(publisher.send(Order()));
  EXPECT_EQ(next(subscriber)->ByteSizeLong(), 0U);
}

TEST_P(Messages, WhatIsNoneIsAnErrorThatNamesTheMessageAndTheNextOneIsRead) {
  Publisher plain = must(node_.publisher(GetParam()));
  auto subscriber = must(ProtoSubscriber<Order>::open(node_, GetParam()));
  auto publisher = ProtoPublisher<Order>::open(node_, GetParam());  // ZeroMQ has one binder
  must(plain.wait_for_subscribers(1, soon()));
  must(plain.send(std::as_bytes(std::span("END", 3))));
  ASSERT_EQ(must(subscriber.wait(soon())), Wake::ready);
  Order message = order(3);
  const auto refused = subscriber.take(message);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  EXPECT_NE(refused.error().message().find("weir.testing.Order"), std::string::npos) << refused.error().message();
  EXPECT_EQ(message.ByteSizeLong(), 0U);
  const std::string text = order(4).SerializeAsString();
  must(plain.send(std::as_bytes(std::span(text))));
  EXPECT_EQ(next(subscriber)->id(), 4U);
}

TEST_P(Messages, ThatLackRequiredFieldsAreRefusedByName) {
  auto publisher = must(ProtoPublisher<Strict>::open(node_, GetParam()));
  Strict message;
  message.mutable_child();
  const auto refused = publisher.send(message);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message().find("child.owner"), std::string::npos) << refused.error().message();
  EXPECT_NE(publisher.untyped().next_sequence(), 1U) << "a refused message spent a number";
}

TEST_P(Messages, AboveALimitOfThePublisherAreItsError) {
  auto publisher = must(ProtoPublisher<Order>::open(node_, GetParam(), {.max_payload = 100}));
  const auto refused = publisher.send(order(4000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::limit_exceeded);
}

TEST_P(Messages, OneObjectServesForAll) {
  auto publisher = must(ProtoPublisher<Order>::open(node_, GetParam()));
  auto subscriber = must(ProtoSubscriber<Order>::open(node_, GetParam()));
  must(publisher.untyped().wait_for_subscribers(1, soon()));
  Order message = order(99);
  EXPECT_FALSE(must(subscriber.take(message)));
  EXPECT_EQ(message.id(), 99U) << "nothing came, and it was touched";
  must(publisher.send(order(5)));
  ASSERT_EQ(must(subscriber.wait(soon())), Wake::ready);
  ASSERT_TRUE(must(subscriber.take(message)));
  EXPECT_EQ(message.SerializeAsString(), order(5).SerializeAsString()) << "something of the former message is left";
}

INSTANTIATE_TEST_SUITE_P(Over, Messages, ::testing::Values("inproc://orders", "shm://orders", "zmq+inproc://orders"),
                         [](const auto& test) { return std::string(test.param).substr(0, 3); });

// ---- Schemas ----

class Mismatch : public Messages {};

// Who changed the message and did not tell the others.
TEST_P(Mismatch, OfSchemasIsAnErrorAtJoinThatNamesTheMessage) {
  TypeInfo changed = type_of(*Order::descriptor());
  ++changed.fingerprint;
  Publisher other = must(node_.publisher(GetParam(), {.type = changed}));
  const auto refused = ProtoSubscriber<Order>::open(node_, GetParam());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  EXPECT_NE(refused.error().message().find("weir.testing.Order"), std::string::npos) << refused.error().message();
}

TEST_P(Mismatch, OfMessagesIsAnErrorAtJoinThatNamesBoth) {
  auto subscriber = must(ProtoSubscriber<Order>::open(node_, GetParam()));
  const auto refused = ProtoPublisher<Strict>::open(node_, GetParam());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  EXPECT_NE(refused.error().message().find("weir.testing.Order"), std::string::npos) << refused.error().message();
  EXPECT_NE(refused.error().message().find("weir.testing.Strict"), std::string::npos) << refused.error().message();
}

TEST_P(Mismatch, OfVersionsIsNoneWhereTheNameAloneIsStated) {
  auto publisher = must(ProtoPublisher<Order>::open(node_, GetParam(), {}, Schema::name));
  auto subscriber = must(ProtoSubscriber<Order>::open(node_, GetParam(), {}, Schema::name));
  EXPECT_FALSE(ProtoSubscriber<Order>::open(node_, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Over, Mismatch, ::testing::Values("inproc://orders", "shm://orders"),
                         [](const auto& test) { return std::string(test.param).substr(0, 3); });

}  // namespace
}  // namespace weir::protobuf
