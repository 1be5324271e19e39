#include "adapters/zeromq_plugin/sender.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

#include "adapters/zeromq_plugin/topics.h"

namespace weir::zmq_plugin {
namespace {

// Messages that applications may have made and not sent, at one time: so many, and this part of the endpoint's memory.
// More are made the usual way: what is made and never sent shall leave room for what is.
constexpr std::size_t most_lent = 64;
constexpr std::uint64_t most_lent_part = 4;
// What a blocking sender lets lie unread, of messages that are large: enough to keep both sides busy, and little enough
// to stay in a cache.
constexpr std::size_t window = std::size_t{8} << 20U;
constexpr std::size_t large_from = std::size_t{32} << 10U;

// The guess of this thread, with one reference. It has no destructor: objects that end after those of the thread may
// still send.
struct Guess {
  Sender* sender;
  bool is_over;
};
thread_local constinit Guess guess{.sender = nullptr, .is_over = false};

// Ends with the thread, and the guesses with it.
struct EndOfGuesses {
  EndOfGuesses() = default;
  EndOfGuesses(const EndOfGuesses&) = delete;
  EndOfGuesses& operator=(const EndOfGuesses&) = delete;
  ~EndOfGuesses() {
    Sender* const last = std::exchange(guess.sender, nullptr);
    guess.is_over = true;
    if (last != nullptr) last->let_go();
  }
};

}  // namespace

Result<Ref<Sender>> Sender::open(const Endpoint& topic, const SenderOptions& options) {
  PublisherQos qos;
  qos.depth = options.depth;
  qos.grant = options.blocks ? Grant::block : Grant::drop;
  qos.deadline = std::chrono::nanoseconds(0);  // waiting is the socket's business
  qos.loans = most_lent + 2;
  qos.memory = options.memory;
  qos.max_payload = options.memory;
  Result<std::unique_ptr<spi::PublisherPort>> port = join_as_publisher(topic, qos);
  if (!port) return tl::unexpected(port.error());
  return Ref<Sender>(new Sender(std::move(*port), options));
}

Sender::Sender(std::unique_ptr<spi::PublisherPort> port, const SenderOptions& options)
    : port_(static_cast<shm::PublisherPort*>(port.release())),
      blocks_(options.blocks),
      copies_(options.copies),
      memory_(options.memory) {
  lent_.reserve(most_lent);
}

int Sender::refusal(const Error& error) const noexcept {
  if (error.code() == ErrorCode::back_pressure) return EAGAIN;
  if (error.code() == ErrorCode::limit_exceeded) return EMSGSIZE;  // with what it takes beside its bytes
  // Out of memory is out of room: subscribers that read give it back.
  return blocks_ ? EAGAIN : 0;
}

Sender::~Sender() {
  if (inherited_by_child()) static_cast<void>(port_.release());  // our parent's: nothing shared is touched
}

bool Sender::window_is_open() {
  if (large_bytes_ < window) return true;
  forget_taken();
  // Nobody else asks for those who died without taking.
  if (large_bytes_ >= window && port_->drop_dead()) forget_taken();
  if (large_bytes_ >= window) return false;
  if (std::exchange(watches_takes_, false)) static_cast<void>(port_->wait(at_once, {}));  // each take pays for it
  return true;
}

void Sender::forget_taken() {
  const std::uint64_t oldest = port_->oldest_wanted();
  while (!large_.empty() && large_.front().sequence < oldest) {
    large_bytes_ -= large_.front().size;
    large_.pop_front();
  }
}

// Refused or thrown out of, the record is still the caller's.
Status Sender::publish_record(spi::LoanRecord& record) {
  const bool is_large = blocks_ && record.size >= large_from;
  // First: what is published is not called back for want of memory to remember it. It counts for nothing as yet.
  if (is_large) large_.push_back({.sequence = std::numeric_limits<std::uint64_t>::max(), .size = 0});
  try {
    const Result<std::uint64_t> sequence =
        blocks_ ? port_->publish(record, at_once) : port_->publish(record, std::nullopt);
    if (sequence && is_large) {
      large_.back() = {.sequence = *sequence, .size = record.size};
      large_bytes_ += record.size;
    } else if (is_large) {
      large_.pop_back();
    }
    if (sequence) return {};
    return tl::unexpected(sequence.error());
  } catch (...) {
    if (is_large) large_.pop_back();
    throw;
  }
}

bool Sender::fits(const FrameWriter& writer) const noexcept {
  return writer.fits() && writer.request().size + writer.request().header_size <= memory_;
}

int Sender::publish(std::span<const Frame> frames) {
  const FrameWriter writer(frames);
  if (!fits(writer)) return EMSGSIZE;
  const std::lock_guard<SpinLock> guard(lock_);
  try {
    return publish_with(writer);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

int Sender::publish_with(const FrameWriter& writer) {
  if (blocks_ && !window_is_open()) return EAGAIN;
  spi::LoanRecord record;
  if (const Status lent = port_->loan(writer.request(), record); !lent) return refusal(lent.error());
  try {
    writer.fill(record);
    const Status published = publish_record(record);
    if (published) return 0;
    port_->drop(record);
    return refusal(published.error());
  } catch (...) {
    port_->drop(record);
    throw;
  }
}

Sender::Lent* Sender::find_lent(const void* data) noexcept {
  const auto found = std::find_if(lent_.rbegin(), lent_.rend(),
                                  [data](const Lent* lent) { return lent->record.payload == data && lent->is_out; });
  return found == lent_.rend() ? nullptr : *found;
}

int Sender::publish_lent(zmq_msg_t& message) {
  const std::lock_guard<SpinLock> guard(lock_);
  Lent* const lent = lent_.empty() ? nullptr : find_lent(libzmq().msg_data(&message));
  if (lent == nullptr || libzmq().msg_get(&message, ZMQ_SHARED) != 0) return EINVAL;
  try {
    if (blocks_ && !window_is_open()) return EAGAIN;
    const Status published = publish_record(lent->record);
    if (!published) return refusal(published.error());
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  lent->is_out = false;
  forget(lent);
  return 0;
}

bool Sender::has_room() {
  if (!blocks_) return true;
  const std::lock_guard<SpinLock> guard(lock_);
  const Result<Wake> wake = port_->wait(at_once, {});
  if (!wake || *wake != Wake::ready) return false;
  if (window_is_open()) return true;
  watches_takes_ = true;
  port_->watch_takes();
  return window_is_open();
}

Result<int> Sender::fd() {
  const std::lock_guard<SpinLock> guard(lock_);
  return port_->fd();
}

bool Sender::lend(zmq_msg_t& message, std::size_t size) {
  if (copies_ || inherited_by_child() || !lock_.try_lock()) return false;
  const std::lock_guard<SpinLock> guard(lock_, std::adopt_lock);
  if (closed_ || lent_.size() >= most_lent || lent_bytes_ + size > memory_ / most_lent_part) return false;
  auto lent = std::make_unique<Lent>();
  const spi::LoanRequest request{.size = size, .header_size = 0, .alignment = 8};
  if (!port_->loan(request, lent->record)) return false;
  if (libzmq().msg_init_data(&message, lent->record.payload, size, &take_back, lent.get()) != 0) {
    port_->drop(lent->record);
    return false;
  }
  keep();
  lent->sender = Ref<Sender>(this);
  lent_bytes_ += lent->record.size;
  lent_.push_back(lent.release());
  return true;
}

// libzmq has let go of a message that was made in lent memory: on any thread, at any time.
void Sender::take_back(void* /*data*/, void* hint) noexcept {
  const std::unique_ptr<Lent> lent(static_cast<Lent*>(hint));
  Sender& sender = *lent->sender;
  if (sender.inherited_by_child()) return;  // before the lock, which a thread of our parent's may have held
  const std::lock_guard<SpinLock> guard(sender.lock_);
  if (!lent->is_out) return;
  sender.forget(lent.get());
  sender.port_->drop(lent->record);
  sender.end_if_unused();
}

void Sender::forget(const Lent* lent) noexcept {
  lent_bytes_ -= lent->record.size;
  std::erase(lent_, lent);
}

void Sender::end_if_unused() noexcept {
  if (closed_ && lent_.empty()) port_.reset();
}

void Sender::close() noexcept {
  if (inherited_by_child()) return;
  const std::lock_guard<SpinLock> guard(lock_);
  closed_ = true;
  port_->close();
  end_if_unused();
}

void guess_next(const Ref<Sender>& sender) {
  if (guess.sender == sender.get() || guess.is_over) return;
  thread_local const EndOfGuesses end;
  sender->keep();
  if (Sender* const last = std::exchange(guess.sender, sender.get()); last != nullptr) last->let_go();
}

bool lend_by_guess(zmq_msg_t& message, std::size_t size) {
  return guess.sender != nullptr && guess.sender->lend(message, size);
}

}  // namespace weir::zmq_plugin
