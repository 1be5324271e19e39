// A good backend with something between it and the handles: what saboteurs are made of.
//
// Every call goes through. A saboteur derives from the port that it spoils and overrides one call.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "transport/backend.h"

namespace weir::conformance {

template <class Interface>
class WrappedPort : public Interface {
 public:
  explicit WrappedPort(std::unique_ptr<Interface> inner) : inner_(std::move(inner)) {}

  void close() noexcept override { inner_->close(); }
  [[nodiscard]] PeerId id() const noexcept override { return inner_->id(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override { return inner_->wait(deadline, stop); }
  Result<int> fd() override { return inner_->fd(); }
  Result<std::optional<MembershipEvent>> next_event() override { return inner_->next_event(); }
  Result<std::vector<Peer>> peers() override { return inner_->peers(); }

 protected:
  [[nodiscard]] Interface& inner() const noexcept { return *inner_; }

 private:
  std::unique_ptr<Interface> inner_;
};

class WrappedPublisher : public WrappedPort<spi::PublisherPort> {
 public:
  WrappedPublisher(std::unique_ptr<spi::PublisherPort> inner, const PublisherQos& qos)
      : WrappedPort(std::move(inner)), qos_(qos) {}

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    return inner().loan(request, record);
  }
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    return inner().publish(record, deadline);
  }
  void drop(spi::LoanRecord& record) noexcept override { inner().drop(record); }
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return inner().next_sequence(); }
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override {
    return inner().wait_for_subscribers(count, deadline, stop);
  }
  Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) override {
    return inner().wait_until_taken(sequence, deadline, stop);
  }

 protected:
  [[nodiscard]] const PublisherQos& qos() const noexcept { return qos_; }

 private:
  PublisherQos qos_;
};

class WrappedSubscriber : public WrappedPort<spi::SubscriberPort> {
 public:
  WrappedSubscriber(std::unique_ptr<spi::SubscriberPort> inner, const SubscriberQos& qos)
      : WrappedPort(std::move(inner)), qos_(qos) {}

  Result<bool> take(spi::SampleRecord& record) override { return inner().take(record); }
  void release(spi::SampleRecord& record) noexcept override { inner().release(record); }
  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    return inner().publish_time(record);
  }

 protected:
  [[nodiscard]] const SubscriberQos& qos() const noexcept { return qos_; }

 private:
  SubscriberQos qos_;
};

// The names of the schemes: "faulty+inproc" is over inproc, "faulty+shm" over shm.
class WrappedBackend : public spi::Backend {
 public:
  // Over inproc or, if `across_processes`, over shm.
  explicit WrappedBackend(bool across_processes);

  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override;
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override {
    return inner_->option_keys();
  }
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override {
    return inner_->capabilities(endpoint);
  }
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    return inner_->publisher(inner_endpoint(endpoint), qos);
  }
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    return inner_->subscriber(inner_endpoint(endpoint), qos);
  }
  Result<std::vector<TopicDescription>> topics(const Endpoint& backend) override {
    return inner_->topics(inner_endpoint(backend));
  }
  Status remove(const Endpoint& endpoint) override { return inner_->remove(inner_endpoint(endpoint)); }

 private:
  [[nodiscard]] static Endpoint inner_endpoint(const Endpoint& endpoint);

  bool across_processes_;
  std::shared_ptr<spi::Backend> inner_;
};

}  // namespace weir::conformance
