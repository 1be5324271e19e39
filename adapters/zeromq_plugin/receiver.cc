#include "adapters/zeromq_plugin/receiver.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "adapters/zeromq_plugin/topics.h"

namespace weir::zmq_plugin {
namespace {

// Frames above this are given out where they lie.
constexpr std::size_t copied_up_to = 4096;
// What one endpoint may have out at one time; at least one sample, whatever its size.
constexpr std::size_t most_samples_out = 64;
constexpr std::size_t most_bytes_out = std::size_t{64} << 20U;

}  // namespace

Result<Ref<Receiver>> Receiver::open(const Endpoint& topic, const ReceiverOptions& options) {
  SubscriberQos qos;
  qos.depth = options.depth;
  qos.history = options.history;
  qos.policy = SlowPolicy::lossless;
  qos.held = most_samples_out + 2;  // and the one under way
  qos.extra = {{"fit", "any"}};     // whether its publisher waits is the publisher's business
  Result<std::unique_ptr<spi::SubscriberPort>> port = join_as_subscriber(topic, qos);
  if (!port) return tl::unexpected(port.error());
  return Ref<Receiver>(new Receiver(std::move(*port), options.copies));
}

Receiver::Receiver(std::unique_ptr<spi::SubscriberPort> port, bool copies) noexcept
    : port_(static_cast<shm::SubscriberPort*>(port.release())), copies_(copies) {}

Receiver::~Receiver() {
  if (port_->inherited()) static_cast<void>(port_.release());  // our parent's: nothing shared is touched
}

void Receiver::close() noexcept {
  if (!port_->inherited()) port_->close();
}

// A sample of which frames are out, each with one reference, and the delivery with one while it is under way.
struct Delivery::Held {
  Ref<Receiver> receiver;
  spi::SampleRecord sample;
  std::atomic<std::size_t> references{1};
};

void Delivery::drop(Held* held) noexcept {
  if (held->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Receiver& receiver = *held->receiver;
  // Before it counts as given back: whoever sees that it may take another finds room to.
  receiver.release(held->sample);
  receiver.bytes_out_.fetch_sub(held->sample.size, std::memory_order_release);
  receiver.samples_out_.fetch_sub(1, std::memory_order_release);
  delete held;
}

// libzmq has let go of a message: on any thread, at any time.
void Delivery::let_go(void* /*data*/, void* hint) noexcept { drop(static_cast<Held*>(hint)); }

void Delivery::end() noexcept {
  if (!receiver_) return;
  if (held_ != nullptr) {
    drop(std::exchange(held_, nullptr));
  } else {
    receiver_->release(sample_);
  }
  receiver_ = {};
}

bool Delivery::give_in_place(zmq_msg_t& message, Frame frame) {
  if (held_ == nullptr) {
    Receiver& receiver = *receiver_;
    const std::size_t samples = receiver.samples_out_.load(std::memory_order_acquire);
    const bool too_much =
        samples >= most_samples_out ||
        (samples != 0 && receiver.bytes_out_.load(std::memory_order_relaxed) + sample_.size > most_bytes_out);
    if (receiver.copies_ || too_much) return false;
    held_ = new (std::nothrow) Held{.receiver = receiver_, .sample = sample_};
    if (held_ == nullptr) return false;
    receiver.samples_out_.fetch_add(1, std::memory_order_relaxed);
    receiver.bytes_out_.fetch_add(sample_.size, std::memory_order_relaxed);
  }
  // Read-only memory; who writes to a message that it has received needs WEIR_ZMQ_RECEIVE=copy.
  void* const data = const_cast<std::byte*>(frame.data());
  if (libzmq().msg_init_data(&message, data, frame.size(), &let_go, held_) != 0) return false;
  held_->references.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Delivery::give(zmq_msg_t& message) {
  const Frame frame = frames_.front();
  if (frame.size() <= copied_up_to || !give_in_place(message, frame)) {
    if (libzmq().msg_init_size(&message, frame.size()) != 0) return false;
    if (!frame.empty()) std::memcpy(libzmq().msg_data(&message), frame.data(), frame.size());
  }
  frames_.pass(frame);
  finish_if_done();
  return true;
}

std::size_t Delivery::give(void* buffer, std::size_t size) noexcept {
  const Frame frame = frames_.front();
  const std::size_t whole = frame.size();
  if (const std::size_t part = std::min(size, whole); part != 0) std::memcpy(buffer, frame.data(), part);
  frames_.pass(frame);
  finish_if_done();
  return whole;
}

}  // namespace weir::zmq_plugin
