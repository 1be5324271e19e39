#include "adapters/iceoryx/subscriber_port.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "adapters/iceoryx/capabilities.h"
#include "adapters/iceoryx/chunk_access.h"
#include "adapters/iceoryx/service.h"
#include "adapters/iceoryx/shared_lock.h"

namespace weir::iceoryx {

using iox::mepoo::SharedChunk;
using iox::popo::QueueFullPolicy;

Result<std::unique_ptr<spi::SubscriberPort>> SubscriberPort::join(std::shared_ptr<Runtime> runtime,
                                                                  const Endpoint& endpoint, const SubscriberQos& qos) {
  const auto service = service_of(endpoint);
  if (!service) return tl::unexpected(service.error());
  iox::popo::SubscriberOptions options;
  options.queueCapacity = qos.depth;
  options.historyRequest = qos.history;
  options.nodeName = node_name(qos.name);
  options.queueFullPolicy =
      qos.policy == SlowPolicy::lossless ? QueueFullPolicy::BLOCK_PRODUCER : QueueFullPolicy::DISCARD_OLDEST_DATA;
  const auto data = runtime->request<Data>([service = *service, options](iox::runtime::PoshRuntime& posh) {
    return posh.getMiddlewareSubscriber(service, options);
  });
  if (!data) return tl::unexpected(data.error());
  std::unique_ptr<SubscriberPort> port(new SubscriberPort(std::move(runtime), endpoint.topic, **data, qos));
  if (qos.history > 0) port->meet_publishers();
  return port;
}

SubscriberPort::SubscriberPort(std::shared_ptr<Runtime> runtime, std::string topic, Data& data,
                               const SubscriberQos& qos)
    : runtime_(std::move(runtime)),
      topic_(std::move(topic)),
      qos_(qos),
      data_(data),
      port_(&data),
      id_(static_cast<std::uint64_t>(data.m_uniqueId)),
      losses_(id_) {}

SubscriberPort::~SubscriberPort() {
  close();
  if (static_cast<std::uint64_t>(data_.m_uniqueId) == id_) port_.destroy();
}

void SubscriberPort::meet_publishers() {
  // No more than there is room for: publishers may go on meanwhile.
  for (std::uint64_t count = 0; count < qos_.depth; ++count) {
    const Header* chunk = next_chunk();
    if (chunk == nullptr) break;
    const auto publisher = static_cast<std::uint64_t>(chunk->originId());
    if (publisher < id_ && !losses_.knows(publisher)) losses_.expect(publisher, chunk->sequenceNumber());
    met_.push_back(chunk);
  }
  has_met_.store(!met_.empty(), std::memory_order_relaxed);
}

void SubscriberPort::close() noexcept {
  if (std::exchange(attended_, false)) runtime_->attendant().forget(*this);
  {
    const std::lock_guard lock(bell_.mutex);
    bell_.close();
  }
  const std::lock_guard lock(chunks_lock_);
  if (std::exchange(closed_, true) || struck_off()) return;
  // RouDi takes it off its publishers within its next round.
  port_.unsubscribe();
  for (const Header* chunk : met_) {
    SharedChunk unread(nullptr);
    data_.m_chunkReceiverData.m_chunksInUse.remove(chunk, unread);
  }
  met_.clear();
  port_.releaseQueuedChunks();
}

const Capabilities& SubscriberPort::capabilities() const noexcept { return promised; }

const Error* SubscriberPort::lost() noexcept {
  if (const Error* gone = runtime_->gone(); gone != nullptr) [[unlikely]]
    return gone;
  if (!struck_off()) [[likely]]
    return nullptr;
  runtime_->lose("RouDi took this process for dead, as it was stopped or starved for more than a second");
  return runtime_->gone();
}

bool SubscriberPort::has_samples() const noexcept {
  return has_met_.load(std::memory_order_relaxed) || port_.hasNewChunks();
}

const SubscriberPort::Header* SubscriberPort::next_chunk() noexcept {
  const std::lock_guard lock(chunks_lock_);
  const auto chunk = port_.tryGetChunk();
  return chunk.has_error() ? nullptr : chunk.value();
}

Result<bool> SubscriberPort::take(spi::SampleRecord& record) {
  // What was received stays readable though RouDi is gone; but not when it has given the port's place to another.
  if (struck_off()) [[unlikely]]
    return tl::unexpected(*lost());
  const Header* chunk = nullptr;
  {
    const std::lock_guard lock(chunks_lock_);
    if (held_ >= qos_.held) [[unlikely]] {
      if (!has_samples()) return nothing_taken();
      return failure(
          ErrorCode::limit_exceeded,
          fmt::format("topic \"{}\": {} samples are in hand, the limit is held={}: release one, or raise that "
                      "option of the subscriber",
                      topic_, held_, qos_.held));
    }
    if (!met_.empty()) [[unlikely]] {
      chunk = met_.front();
      met_.pop_front();
      has_met_.store(!met_.empty(), std::memory_order_relaxed);
    } else if (const auto received = port_.tryGetChunk(); !received.has_error()) {
      chunk = received.value();
    }
    if (chunk != nullptr) ++held_;
  }
  if (chunk == nullptr) return nothing_taken();
  const auto publisher = static_cast<std::uint64_t>(chunk->originId());
  record.payload = static_cast<const std::byte*>(chunk->userPayload());
  record.size = chunk->userPayloadSize();
  record.header_size = chunk->userHeaderSize();
  record.header = record.header_size == 0 ? nullptr : static_cast<const std::byte*>(chunk->userHeader());
  record.publisher = publisher;
  record.sequence = chunk->sequenceNumber();
  record.lost_before = losses_.before(publisher, record.sequence, [&] { return ChunkAccess::joined_at(*chunk); });
  record.time = 0;
  record.token = reinterpret_cast<std::uint64_t>(chunk);
  return true;
}

Result<bool> SubscriberPort::nothing_taken() {
  if (const Error* error = lost(); error != nullptr) return tl::unexpected(*error);
  if (attended_) {
    const std::lock_guard lock(bell_.mutex);
    if (bell_.has_fd()) bell_.ring(has_samples());
  }
  return false;
}

void SubscriberPort::release(spi::SampleRecord& record) noexcept {
  const auto* chunk = reinterpret_cast<const Header*>(record.token);
  SharedChunk released(nullptr);  // gives it back when the lock is free again
  const std::lock_guard lock(chunks_lock_);
  --held_;
  // After close() the port is unsubscribed, and not struck off.
  const bool ours = static_cast<std::uint64_t>(data_.m_uniqueId) == id_ && (closed_ || !struck_off());
  if (ours) data_.m_chunkReceiverData.m_chunksInUse.remove(chunk, released);
}

Status SubscriberPort::attach() {
  if (attended_) return {};
  const Error* error = nullptr;
  auto& queue = data_.m_chunkReceiverData;
  const SharedLock lock(queue, [&] { return (error = lost()) != nullptr; });
  if (!lock) return tl::unexpected(*error);
  const std::uint64_t index = runtime_->attendant().attend(*this);
  attended_ = true;
  queue.m_conditionVariableDataPtr = &runtime_->attendant().condition();
  queue.m_conditionVariableNotificationIndex.emplace(index);
  return {};
}

void SubscriberPort::look() noexcept {
  const bool notable = has_samples() || lost() != nullptr;
  const std::lock_guard lock(bell_.mutex);
  // The owner may have taken all in the meantime; then it has cleared the descriptor, or will.
  if (notable) bell_.ring(has_samples() || runtime_->gone() != nullptr);
}

Result<Wake> SubscriberPort::wait(Deadline deadline, const std::stop_token& stop) {
  if (stop.stop_requested()) return Wake::interrupted;
  if (has_samples()) return Wake::ready;
  if (const Error* error = lost(); error != nullptr) return tl::unexpected(*error);
  if (const Status attached = attach(); !attached) return tl::unexpected(attached.error());
  Wake wake = Wake::deadline;
  {
    std::unique_lock lock(bell_.mutex);
    wake = bell_.wait(lock, deadline, stop, [&] { return has_samples() || lost() != nullptr; });
  }
  // A full queue that drops is empty for a moment while its publisher replaces the oldest: then nothing is lost.
  if (wake == Wake::ready && !has_samples()) {
    if (const Error* error = lost(); error != nullptr) return tl::unexpected(*error);
  }
  return wake;
}

Result<int> SubscriberPort::fd() {
  if (const Error* error = lost(); error != nullptr) return tl::unexpected(*error);
  if (const Status attached = attach(); !attached) return tl::unexpected(attached.error());
  const std::lock_guard lock(bell_.mutex);
  Result<int> descriptor = bell_.fd();
  if (descriptor) bell_.ring(has_samples());
  return descriptor;
}

Result<std::optional<MembershipEvent>> SubscriberPort::next_event() {
  return failure(ErrorCode::unsupported,
                 fmt::format("topic \"{}\": iceoryx does not tell who publishes: let the messages say it", topic_));
}

Result<std::vector<Peer>> SubscriberPort::peers() {
  return failure(ErrorCode::unsupported,
                 fmt::format("topic \"{}\": iceoryx does not tell who publishes: let the messages say it", topic_));
}

}  // namespace weir::iceoryx
