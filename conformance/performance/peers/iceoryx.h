// iceoryx 2.0 through its untyped C++ interface, as its examples use it;
// blocking receivers sleep in a WaitSet.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"

namespace weir::performance {

class Iceoryx {
 public:
  // `instance`: of the service, another for each round.
  Iceoryx(const Task& task, std::string instance) : task_(task), instance_(std::move(instance)) {}

  class Sender {
   public:
    explicit Sender(std::unique_ptr<iox::popo::UntypedPublisher> publisher) : publisher_(std::move(publisher)) {}
    // It tells none from some.
    void await_receivers(std::uint64_t count) const noexcept {
      while (count > 0 && !publisher_->hasSubscribers()) {
        sched_yield();
      }
    }
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      auto loan = publisher_->loan(static_cast<std::uint32_t>(size));
      if (loan.has_error()) [[unlikely]] {
        fail(fmt::format("iceoryx: loan: error {}", static_cast<int>(loan.get_error())));
      }
      fill(std::span(static_cast<std::byte*>(loan.value()), size));
      publisher_->publish(loan.value());
      return true;
    }

   private:
    std::unique_ptr<iox::popo::UntypedPublisher> publisher_;
  };

  class Receiver {
   public:
    Receiver(std::unique_ptr<iox::popo::UntypedSubscriber> subscriber, bool blocking)
        : subscriber_(std::move(subscriber)) {
      if (blocking) {
        set_ = std::make_unique<iox::popo::WaitSet<1>>();
        set_->attachState(*subscriber_, iox::popo::SubscriberState::HAS_DATA).or_else([](auto /*error*/) {
          fail("iceoryx: attaching a subscriber to a WaitSet");
        });
      }
    }
    void wait() { set_->wait(); }
    template <class Use>
    bool try_receive(Use use) {
      auto sample = subscriber_->take();
      if (sample.has_error()) {
        if (sample.get_error() != iox::popo::ChunkReceiveResult::NO_CHUNK_AVAILABLE) [[unlikely]] {
          fail(fmt::format("iceoryx: take: error {}", static_cast<int>(sample.get_error())));
        }
        return false;
      }
      const iox::mepoo::ChunkHeader* const header = iox::mepoo::ChunkHeader::fromUserPayload(sample.value());
      use(std::span(static_cast<const std::byte*>(sample.value()), header->userPayloadSize()));
      subscriber_->release(sample.value());
      return true;
    }

   private:
    std::unique_ptr<iox::popo::UntypedSubscriber> subscriber_;
    std::unique_ptr<iox::popo::WaitSet<1>> set_;
  };

  [[nodiscard]] Sender sender(Lane lane) const {
    iox::popo::PublisherOptions options;
    options.subscriberTooSlowPolicy = is_lossless() ? iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER
                                                    : iox::popo::ConsumerTooSlowPolicy::DISCARD_OLDEST_DATA;
    return Sender(std::make_unique<iox::popo::UntypedPublisher>(service(lane), options));
  }
  [[nodiscard]] Receiver receiver(Lane lane) const {
    iox::popo::SubscriberOptions options;
    options.queueCapacity = is_lossless() ? depth_for(task_) : 16;
    options.queueFullPolicy =
        is_lossless() ? iox::popo::QueueFullPolicy::BLOCK_PRODUCER : iox::popo::QueueFullPolicy::DISCARD_OLDEST_DATA;
    return {std::make_unique<iox::popo::UntypedSubscriber>(service(lane), options), task_.blocking};
  }

 private:
  [[nodiscard]] bool is_lossless() const noexcept {
    return task_.load != Load::latency && task_.load != Load::publish_cost;
  }
  [[nodiscard]] iox::capro::ServiceDescription service(Lane lane) const {
    static const bool registered = [] {
      iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kFatal,
                                                               iox::log::LogLevelOutput::kHideLogLevel);
      iox::runtime::PoshRuntime::initRuntime(
          iox::RuntimeName_t(iox::cxx::TruncateToCapacity, fmt::format("benchmark-{}", getpid())));
      return true;
    }();
    static_cast<void>(registered);
    const std::string event = fmt::format("{}{}", lane.direction == Direction::there ? "there" : "back", lane.index);
    return {"Native", {iox::cxx::TruncateToCapacity, instance_}, {iox::cxx::TruncateToCapacity, event}};
  }

  Task task_;
  std::string instance_;
};

static_assert(Carrier<Iceoryx>);

}  // namespace weir::performance
