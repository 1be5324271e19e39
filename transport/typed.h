// Publishers and subscribers of one trivially copyable type.
//
//   struct Pose { double x, y, heading; };
//   template <> struct weir::TypeName<Pose> { static constexpr std::string_view value = "robot.Pose"; };
//
//   auto poses = weir::TypedPublisher<Pose>::open(node, "shm://pose");
//   auto loan = poses->loan();
//   (*loan)->x = 1.0;
//   auto sequence = loan->publish();
//
// The type's name, size and alignment are stated at join, so a peer with another type is refused. Thread safety as for
// Publisher and Subscriber.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "transport/node.h"

namespace weir {

// The name under which a type is agreed on. Specialise it; compilers' names for types are not the same everywhere.
template <class T>
struct TypeName;

template <class T>
[[nodiscard]] TypeInfo type_info() {
  static_assert(std::is_trivially_copyable_v<T>, "the bytes of the object are what is sent");
  return {.name = std::string(TypeName<T>::value), .size = sizeof(T), .alignment = alignof(T)};
}

// A loan whose payload is one T, value-initialised.
template <class T>
class TypedLoan {
 public:
  explicit TypedLoan(Loan loan) : loan_(std::move(loan)), value_(new(loan_.payload().data()) T()) {}
  [[nodiscard]] T& operator*() const noexcept { return *value_; }
  [[nodiscard]] T* operator->() const noexcept { return value_; }
  [[nodiscard]] Result<std::uint64_t> publish(std::optional<Deadline> deadline = {}) { return loan_.publish(deadline); }
  [[nodiscard]] Loan& untyped() noexcept { return loan_; }

 private:
  Loan loan_;
  T* value_;
};

// A sample whose payload is one T; empty when there was none. A payload that does not lie as T wants to (of ZeroMQ, or
// of a peer that states no type) is copied.
template <class T>
class TypedSample {
 public:
  explicit TypedSample(Sample sample) : sample_(std::move(sample)) {
    if (sample_ && reinterpret_cast<std::uintptr_t>(bytes()) % alignof(T) != 0) [[unlikely]] {
      auto copy = std::make_unique_for_overwrite<Bytes>();
      std::memcpy(copy.get(), bytes(), sizeof(T));
      copy_ = std::move(copy);
    }
  }
  explicit operator bool() const noexcept { return static_cast<bool>(sample_); }
  [[nodiscard]] const T& operator*() const noexcept { return *std::launder(reinterpret_cast<const T*>(bytes())); }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }
  [[nodiscard]] const Sample& untyped() const noexcept { return sample_; }

 private:
  struct alignas(T) Bytes {
    std::array<std::byte, sizeof(T)> bytes;
  };
  [[nodiscard]] const std::byte* bytes() const noexcept {
    return copy_ ? copy_->bytes.data() : sample_.payload().data();
  }
  Sample sample_;
  std::unique_ptr<Bytes> copy_;
};

template <class T>
class TypedPublisher {
 public:
  [[nodiscard]] static Result<TypedPublisher> open(Node& node, std::string_view uri, PublisherOptions options = {}) {
    options.type = type_info<T>();
    return node.publisher(uri, options).map([](Publisher&& publisher) { return TypedPublisher(std::move(publisher)); });
  }
  [[nodiscard]] Result<TypedLoan<T>> loan() {
    return publisher_.loan(sizeof(T), 0, alignof(T)).map([](Loan&& loan) { return TypedLoan<T>(std::move(loan)); });
  }
  [[nodiscard]] Result<std::uint64_t> send(const T& value) {
    Result<Loan> loan = publisher_.loan(sizeof(T), 0, alignof(T));
    if (!loan) {
      return tl::unexpected(loan.error());
    }
    std::memcpy(loan->payload().data(), &value, sizeof(T));
    return loan->publish();
  }
  [[nodiscard]] Publisher& untyped() noexcept { return publisher_; }

 private:
  explicit TypedPublisher(Publisher publisher) : publisher_(std::move(publisher)) {}
  Publisher publisher_;
};

template <class T>
class TypedSubscriber {
 public:
  [[nodiscard]] static Result<TypedSubscriber> open(Node& node, std::string_view uri, SubscriberOptions options = {}) {
    options.type = type_info<T>();
    return node.subscriber(uri, options).map([](Subscriber&& subscriber) {
      return TypedSubscriber(std::move(subscriber));
    });
  }
  // Errors: those of Subscriber::take; incompatible for a sample of another size (a peer that states no type).
  [[nodiscard]] Result<TypedSample<T>> take() {
    return spi::guarded([this]() -> Result<TypedSample<T>> {
      Result<Sample> sample = subscriber_.take();
      if (!sample) {
        return tl::unexpected(sample.error());
      }
      if (*sample && sample->payload().size() != sizeof(T)) {
        return failure(ErrorCode::incompatible,
                       "endpoint \"" + spi::port_of(subscriber_)->endpoint_text + "\": a sample of " +
                           std::to_string(sample->payload().size()) + " bytes came on a topic of type " +
                           std::string(TypeName<T>::value) + " with " + std::to_string(sizeof(T)) +
                           " bytes: state the type at the publisher too");
      }
      return TypedSample<T>(std::move(*sample));
    });
  }
  [[nodiscard]] Result<Wake> wait(Deadline deadline, const std::stop_token& stop = {}) {
    return subscriber_.wait(deadline, stop);
  }
  [[nodiscard]] Subscriber& untyped() noexcept { return subscriber_; }

 private:
  explicit TypedSubscriber(Subscriber subscriber) : subscriber_(std::move(subscriber)) {}
  Subscriber subscriber_;
};

}  // namespace weir
