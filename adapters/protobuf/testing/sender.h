// Sends one message again and again over shm, the two ways that are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "adapters/protobuf/proto_publisher.h"
#include "adapters/protobuf/testing/orders.pb.h"

namespace weir::protobuf::testing {

// An order of so many bytes when serialised, most of them in its attachment.
inline weir::testing::Order order_of(std::size_t size) {
  weir::testing::Order order;
  order.set_id(1'000'000);
  order.set_side(weir::testing::Order::SELL);
  for (const char* const instrument : {"first leg", "second leg"}) {
    order.add_legs()->set_instrument(instrument);
    order.mutable_legs(order.legs_size() - 1)->set_price(100.25);
  }
  order.set_attachment(std::string(size - order.ByteSizeLong() - 3, 'x'));
  while (order.ByteSizeLong() > size) order.mutable_attachment()->pop_back();  // its length takes one to five bytes
  return order;
}

class Sender {
 public:
  explicit Sender(std::size_t size) : order_(order_of(size)) {}

  // As programs do it: into a string, which is made once and used again, and the string is sent.
  void by_string() {
    if (!order_.SerializeToString(&text_)) throw std::runtime_error("the message cannot be serialised");
    check(publisher_.untyped().send(std::as_bytes(std::span(text_))));
  }
  void straight() { check(publisher_.send(order_)); }

  [[nodiscard]] std::size_t size() const { return order_.ByteSizeLong(); }

 private:
  static ProtoPublisher<weir::testing::Order> open() {
    auto node = Node::open();
    if (!node) throw std::runtime_error(node.error().message());
    auto publisher = ProtoPublisher<weir::testing::Order>::open(*node, "shm://orders");
    if (!publisher) throw std::runtime_error(publisher.error().message());
    return std::move(*publisher);
  }
  static void check(const Result<std::uint64_t>& sent) {
    if (!sent) throw std::runtime_error(sent.error().message());
  }

  weir::testing::Order order_;
  std::string text_;
  ProtoPublisher<weir::testing::Order> publisher_ = open();
};

}  // namespace weir::protobuf::testing
