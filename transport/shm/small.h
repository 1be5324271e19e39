// Small messages of one type over shm://, with every call compiled into the application: the same topics, options and
// peers as weir::TypedPublisher and TypedSubscriber, without the indirections that let a URI choose the backend. For
// the few places where ten nanoseconds count.
//
//   struct Quote { std::int64_t bid, ask; };
//   template <> struct weir::TypeName<Quote> { static constexpr std::string_view value = "market.Quote"; };
//
//   auto quotes = weir::shm::SmallPublisher<Quote>::open(node, "shm://quotes?depth=1024");
//   auto sequence = quotes->publish({.bid = 99, .ask = 101});
//
//   auto quotes = weir::shm::SmallSubscriber<Quote>::open(node, "shm://quotes?depth=1024");
//   weir::shm::Small<Quote> quote;
//   while (auto taken = quotes->take(quote)) {        // an error ends it too
//     if (*taken) use(quote.value, quote.lost_before); else quotes->untyped().wait(weir::after(1s));
//   }
//
// Messages are copied into and out of the ring: they are in nobody's hand, and nothing has to be released. Thread
// safety as for Publisher and Subscriber.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "transport/guard.h"
#include "transport/node.h"
#include "transport/shm/publisher_port.h"
#include "transport/shm/subscriber_port.h"
#include "transport/typed.h"

namespace weir::shm {

// Its bytes are what is sent, and travel in a slot of the ring. Others go by weir::TypedPublisher.
template <class T>
concept FitsIntoSlot = std::is_trivially_copyable_v<T> && sizeof(T) <= carried_size;

// A message that was taken, with its sequence, lost_before and publisher.
template <FitsIntoSlot T>
struct Small : SubscriberPort::Origin {
  T value;
};

[[nodiscard]] inline tl::unexpected<Error> not_over_shm(std::string_view uri) {
  return failure(
      ErrorCode::unsupported,
      fmt::format("endpoint \"{}\" is not one of shm://: use weir::TypedPublisher and TypedSubscriber, which "
                  "work over every backend",
                  uri));
}

template <FitsIntoSlot T>
class SmallPublisher {
 public:
  // Errors: those of Node::publisher; unsupported for another backend than shm://.
  [[nodiscard]] static Result<SmallPublisher> open(Node& node, std::string_view uri, PublisherOptions options = {}) {
    options.type = type_info<T>();
    Result<Publisher> publisher = node.publisher(uri, options);
    if (!publisher) {
      return tl::unexpected(publisher.error());
    }
    if (dynamic_cast<PublisherPort*>(spi::port_of(*publisher)) == nullptr) {
      return not_over_shm(uri);
    }
    return SmallPublisher(std::move(*publisher));
  }

  // Returns the message's sequence. Errors: those of Loan::publish.
  [[nodiscard, gnu::always_inline]] Result<std::uint64_t> publish(const T& value) {
    auto* const port = static_cast<PublisherPort*>(spi::port_of(publisher_));
    return port != nullptr ? port->template publish_small<sizeof(T)>(reinterpret_cast<const std::byte*>(&value))
                           : spi::failed<std::uint64_t>(spi::unusable(port));
  }

  // For all else, but to assign another to it. Valid as long as this one.
  [[nodiscard]] Publisher& untyped() noexcept { return publisher_; }

 private:
  explicit SmallPublisher(Publisher publisher) : publisher_(std::move(publisher)) {}
  Publisher publisher_;  // over a PublisherPort
};

template <FitsIntoSlot T>
class SmallSubscriber {
 public:
  // Errors: those of Node::subscriber; unsupported for another backend than shm://.
  [[nodiscard]] static Result<SmallSubscriber> open(Node& node, std::string_view uri, SubscriberOptions options = {}) {
    options.type = type_info<T>();
    Result<Subscriber> subscriber = node.subscriber(uri, options);
    if (!subscriber) {
      return tl::unexpected(subscriber.error());
    }
    if (dynamic_cast<SubscriberPort*>(spi::port_of(*subscriber)) == nullptr) {
      return not_over_shm(uri);
    }
    return SmallSubscriber(std::move(*subscriber));
  }

  // True: `message` is the next one; else it means nothing. False: there is none. Errors: those of
  // Subscriber::take; incompatible for a sample of another size (of a peer that states no type), which is lost by that.
  [[nodiscard, gnu::always_inline]] Result<bool> take(Small<T>& message) {
    auto* const port = static_cast<SubscriberPort*>(spi::port_of(subscriber_));
    return port != nullptr ? port->template take_small<sizeof(T)>(reinterpret_cast<std::byte*>(&message.value), message)
                           : spi::failed<bool>(spi::unusable(port));
  }

  // For all else, but to assign another to it. Valid as long as this one.
  [[nodiscard]] Subscriber& untyped() noexcept { return subscriber_; }

 private:
  explicit SmallSubscriber(Subscriber subscriber) : subscriber_(std::move(subscriber)) {}
  Subscriber subscriber_;  // over a SubscriberPort
};

}  // namespace weir::shm
