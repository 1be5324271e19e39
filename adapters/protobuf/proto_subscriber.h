// Receives Protobuf messages of one type; proto_publisher.h says what is agreed on at join.
//
//   auto infos = weir::protobuf::ProtoSubscriber<Info>::open(node, "shm://infos");
//   for (auto info = infos->take(); info && *info; info = infos->take()) use((*info)->id());
//
//   Info info;                                    // or into a message that is used again and again: no allocation
//   while (auto sample = infos->take(info)) {
//     if (!*sample) break;
//     use(info);
//   }
//
// Thread safety as for Subscriber.
#pragma once

#include <string_view>
#include <utility>

#include "adapters/protobuf/message.h"
#include "adapters/protobuf/schema.h"
#include "transport/node.h"

namespace weir::protobuf {

// A message and the sample it was read from; empty when there was none.
template <class M>
class ProtoSample {
 public:
  ProtoSample(Sample sample, M message) : sample_(std::move(sample)), message_(std::move(message)) {}
  explicit operator bool() const noexcept { return static_cast<bool>(sample_); }
  [[nodiscard]] const M& operator*() const noexcept { return message_; }
  [[nodiscard]] const M* operator->() const noexcept { return &message_; }
  // Sequence, losses, publisher, and the bytes.
  [[nodiscard]] const Sample& untyped() const noexcept { return sample_; }

 private:
  Sample sample_;
  M message_;
};

template <class M>
class ProtoSubscriber {
 public:
  // Errors: those of Node::subscriber; incompatible for a topic of another message or schema.
  [[nodiscard]] static Result<ProtoSubscriber> open(Node& node, std::string_view uri, SubscriberOptions options = {},
                                                    Schema schema = Schema::exact) {
    const Result<Capabilities> capabilities = node.capabilities(uri);
    if (capabilities && capabilities->types) {
      options.type = type_of(*M::descriptor(), schema);
    }
    return node.subscriber(uri, options).map([](Subscriber&& subscriber) {
      return ProtoSubscriber(std::move(subscriber));
    });
  }

  // The next message, or an empty one when there is none. Errors: those of Subscriber::take; incompatible for a sample
  // that is no such message: it is passed over, and the next call goes on behind it.
  [[nodiscard]] Result<ProtoSample<M>> take() {
    M message;
    return take(message).map([&](Sample&& sample) { return ProtoSample<M>(std::move(sample), std::move(message)); });
  }

  // The same into `message`, which is left alone when there is none.
  [[nodiscard]] Result<Sample> take(M& message) {
    Result<Sample> sample = subscriber_.take();
    if (sample && *sample) {
      if (Status parsed = parse(*sample, message); !parsed) [[unlikely]] {
        return tl::unexpected(parsed.error());
      }
    }
    return sample;
  }

  [[nodiscard]] Result<Wake> wait(Deadline deadline, const std::stop_token& stop = {}) {
    return subscriber_.wait(deadline, stop);
  }

  // Whether peers of another schema are refused at join.
  [[nodiscard]] bool states_type() const noexcept { return subscriber_.qos().type.has_value(); }
  // For all else; samples that were taken there are read by parse().
  [[nodiscard]] Subscriber& untyped() noexcept { return subscriber_; }

 private:
  explicit ProtoSubscriber(Subscriber subscriber) : subscriber_(std::move(subscriber)) {}
  Subscriber subscriber_;
};

}  // namespace weir::protobuf
