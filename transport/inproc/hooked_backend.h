// For tests of the handles: hooked://topic is inproc://topic with a hook before every call that reaches a port.
//
//   auto hooks = std::make_shared<Hooks>();
//   Node node = must(Node::open({std::make_shared<HookedBackend>(hooks)}));
//   hooks->call = [] { throw std::runtime_error("…"); };      // in calls that may fail
//   hooks->note = [] { ++count; };                             // in all others: close, drop, release, the accessors
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/backend.h"
#include "transport/inproc/backend.h"

namespace weir::testing_support {

struct Hooks {
  std::function<void()> call = [] {};
  std::function<void()> note = [] {};
};

template <class Interface>
class HookedPort : public Interface {
 public:
  HookedPort(std::unique_ptr<Interface> inner, std::shared_ptr<Hooks> hooks)
      : inner_(std::move(inner)), hooks_(std::move(hooks)) {}

  void close() noexcept override { return noted().close(); }
  [[nodiscard]] PeerId id() const noexcept override { return noted().id(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return noted().capabilities(); }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override { return called().wait(deadline, stop); }
  Result<int> fd() override { return called().fd(); }
  Result<std::optional<MembershipEvent>> next_event() override { return called().next_event(); }
  Result<std::vector<Peer>> peers() override { return called().peers(); }

 protected:
  [[nodiscard]] Interface& called() const {
    hooks_->call();
    return *inner_;
  }
  [[nodiscard]] Interface& noted() const noexcept {
    hooks_->note();
    return *inner_;
  }

 private:
  std::unique_ptr<Interface> inner_;
  std::shared_ptr<Hooks> hooks_;
};

class HookedPublisher final : public HookedPort<spi::PublisherPort> {
 public:
  using HookedPort::HookedPort;
  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    return called().loan(request, record);
  }
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    return called().publish(record, deadline);
  }
  void drop(spi::LoanRecord& record) noexcept override { noted().drop(record); }
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override {
    return called().wait_for_subscribers(count, deadline, stop);
  }
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return noted().next_sequence(); }
  Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) override {
    return called().wait_until_taken(sequence, deadline, stop);
  }
};

class HookedSubscriber final : public HookedPort<spi::SubscriberPort> {
 public:
  using HookedPort::HookedPort;
  Result<bool> take(spi::SampleRecord& record) override { return called().take(record); }
  void release(spi::SampleRecord& record) noexcept override { noted().release(record); }
};

class HookedBackend final : public spi::Backend {
 public:
  explicit HookedBackend(std::shared_ptr<Hooks> hooks) : hooks_(std::move(hooks)) {}

  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override {
    static constexpr std::array<std::string_view, 1> served{"hooked"};
    return served;
  }
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override {
    return inner_.capabilities(endpoint);
  }
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    hooks_->call();
    return inner_.publisher(endpoint, qos).map([this](auto port) -> std::unique_ptr<spi::PublisherPort> {
      return std::make_unique<HookedPublisher>(std::move(port), hooks_);
    });
  }
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    hooks_->call();
    return inner_.subscriber(endpoint, qos).map([this](auto port) -> std::unique_ptr<spi::SubscriberPort> {
      return std::make_unique<HookedSubscriber>(std::move(port), hooks_);
    });
  }
  Result<std::vector<TopicDescription>> topics(const Endpoint& backend) override {
    hooks_->call();
    return inner_.topics(backend);
  }
  Status remove(const Endpoint& endpoint) override {
    hooks_->call();
    return inner_.remove(endpoint);
  }

 private:
  inproc::InprocBackend inner_;
  std::shared_ptr<Hooks> hooks_;
};

}  // namespace weir::testing_support
