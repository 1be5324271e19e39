// What a peer does to be measured: the interface between loads/ and peers/.
//
// A peer is a way to move messages between processes: a backend of weir,
// another framework, or bare memory as a floor. It is a class made from a Task,
// with
//
//   Sender sender(Lane) const;       both made in the processes that use them; the peer itself is made in the
//   Receiver receiver(Lane) const;   parent, which hands shared memory, descriptors and names down
//
// and a load is a function template over it, so that nothing stands between the
// clock and what is measured. Each peer has a .cc file of its own, the only one
// that includes its library. Failures are thrown (failure.h).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "conformance/performance/task.h"

namespace weir::performance {

// A way between the processes: `there` from the measuring one, `back` to it.
// Peers that cannot send one message to many have a lane for each receiver.
enum class Direction : std::uint8_t { there, back };
struct Lane {
  Direction direction = Direction::there;
  std::uint64_t index = 0;
};
inline constexpr Lane there{};
inline constexpr Lane back{.direction = Direction::back};

namespace archetype {
struct Fill {
  void operator()(std::span<std::byte>) const {}
};
struct Use {
  void operator()(std::span<const std::byte>) const {}
};
}  // namespace archetype

// try_send(size, fill): calls fill(payload) where the message is sent from, and
// sends it. False: there is no room. In a blocking task it may sleep until
// there is. await_receivers(count): returns once what is sent will be received
// by so many, where the peer can know that.
template <class Type>
concept Sender = requires(Type sender, std::size_t size, std::uint64_t count, archetype::Fill fill) {
  { sender.try_send(size, fill) } -> std::same_as<bool>;
  sender.await_receivers(count);
};

// try_receive(use): calls use(payload) where the message was received, in
// order, without loss. False: there is none. In a blocking task it may sleep
// until there is one. wait(): in a blocking task, sleeps until try_receive may
// have something; may return without cause.
template <class Type>
concept Receiver = requires(Type receiver, archetype::Use use) {
  { receiver.try_receive(use) } -> std::same_as<bool>;
  receiver.wait();
};

template <class Type>
concept Carrier = requires(const Type carrier, Lane lane) {
  { carrier.sender(lane) } -> Sender;
  { carrier.receiver(lane) } -> Receiver;
};

}  // namespace weir::performance
