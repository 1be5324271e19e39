// What a peer does to be measured: the interface between loads/ and peers/.
//
// A peer is a way to move messages between two processes: a backend of weir, another framework, or bare memory as a
// floor. It is a class with
//
//   Sender sender(Direction) const;        // both made in the processes that use them; the peer itself is made in the
//   Receiver receiver(Direction) const;    // parent, which hands shared memory, names and nothing else down
//
// and a load is a function template over it, so that nothing stands between the clock and what is measured. Whether a
// peer can carry a load is a concept; rows.cc says which pairs are measured. Failures are thrown (failure.h).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::performance {

// Two lanes between the processes: `there` from the measuring one, `back` to it.
enum class Direction : std::uint8_t { there, back };

namespace archetype {
struct Fill {
  void operator()(std::span<std::byte>) const {}
};
struct Use {
  void operator()(std::span<const std::byte>) const {}
};
}  // namespace archetype

// try_send(size, fill): calls fill(payload) where the message is sent from, and sends it. False: there is no room.
// await_receiver(): returns once what is sent will be received.
template <class Type>
concept Sender = requires(Type sender, std::size_t size, archetype::Fill fill) {
  { sender.try_send(size, fill) } -> std::same_as<bool>;
  sender.await_receiver();
};

// try_receive(use): calls use(payload) where the message was received, in order, without loss. False: there is none.
template <class Type>
concept Receiver = requires(Type receiver, archetype::Use use) {
  { receiver.try_receive(use) } -> std::same_as<bool>;
};

// wait(): sleeps until try_receive may have something; may return without cause.
template <class Type>
concept WaitingReceiver = Receiver<Type> && requires(Type receiver) { receiver.wait(); };

template <class Type>
concept Peer = requires(const Type peer, Direction direction) {
  { peer.sender(direction) } -> Sender;
  { peer.receiver(direction) } -> Receiver;
};

template <class Type>
concept WaitingPeer = Peer<Type> && requires(const Type peer, Direction direction) {
  { peer.receiver(direction) } -> WaitingReceiver;
};

// await_receivers(count): returns once what is sent will be received by so many.
template <class Type>
concept FanOutPeer = Peer<Type> && requires(const Type peer, Direction direction, std::uint64_t count) {
  peer.sender(direction).await_receivers(count);
};

}  // namespace weir::performance
