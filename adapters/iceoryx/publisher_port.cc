#include "adapters/iceoryx/publisher_port.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "adapters/iceoryx/capabilities.h"
#include "adapters/iceoryx/chunk_access.h"
#include "adapters/iceoryx/service.h"
#include "adapters/iceoryx/shared_lock.h"

namespace weir::iceoryx {
namespace {

using iox::mepoo::ChunkHeader;
using iox::mepoo::SharedChunk;
using iox::popo::AllocationError;
using iox::popo::ConsumerTooSlowPolicy;
using iox::popo::QueueFullPolicy;

// How often a publisher that is held back looks for space, and how long it tries for the mutex of one queue.
constexpr std::chrono::microseconds look_interval(200);
constexpr std::chrono::milliseconds queue_patience(20);

ChunkHeader& header_of(const spi::LoanRecord& record) { return *reinterpret_cast<ChunkHeader*>(record.token); }

bool is_full(const auto& queue) noexcept {
  return queue.m_queueFullPolicy == QueueFullPolicy::BLOCK_PRODUCER &&
         const_cast<std::remove_cvref_t<decltype(queue)>&>(queue).m_queue.size() >= queue.m_queue.capacity();
}

}  // namespace

Result<std::unique_ptr<spi::PublisherPort>> PublisherPort::join(std::shared_ptr<Runtime> runtime,
                                                                const Endpoint& endpoint, const PublisherQos& qos) {
  const auto service = service_of(endpoint);
  if (!service) return tl::unexpected(service.error());
  if (belongs_to_roudi(*service)) {
    return failure(
        ErrorCode::permission_denied,
        fmt::format("endpoint \"{}\": only RouDi publishes on this service: choose another", endpoint.text()));
  }
  iox::popo::PublisherOptions options;
  options.historyCapacity = qos.history;
  options.nodeName = node_name(qos.name);
  options.subscriberTooSlowPolicy =
      qos.grant == Grant::block ? ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER : ConsumerTooSlowPolicy::DISCARD_OLDEST_DATA;
  const auto data = runtime->request<Data>([service = *service, options](iox::runtime::PoshRuntime& posh) {
    return posh.getMiddlewarePublisher(service, options);
  });
  if (!data) return tl::unexpected(data.error());
  std::unique_ptr<PublisherPort> port(new PublisherPort(std::move(runtime), endpoint.topic, **data, qos));
  if (port->largest_chunk_ == 0) {
    return failure(
        ErrorCode::resource_exhausted,
        fmt::format("endpoint \"{}\": RouDi has no memory pools for this user: add them to its configuration",
                    endpoint.text()));
  }
  return port;
}

PublisherPort::PublisherPort(std::shared_ptr<Runtime> runtime, std::string topic, Data& data, const PublisherQos& qos)
    : runtime_(std::move(runtime)),
      topic_(std::move(topic)),
      qos_(qos),
      data_(data),
      port_(&data),
      id_(static_cast<std::uint64_t>(data.m_uniqueId)),
      blocks_(qos.grant == Grant::block) {
  const auto& memory = *data_.m_chunkSenderData.m_memoryMgr;
  for (std::uint32_t pool = 0; pool < memory.getNumberOfMemPools(); ++pool) {
    largest_chunk_ = std::max<std::uint64_t>(largest_chunk_, memory.getMemPoolInfo(pool).m_chunkSize);
  }
}

PublisherPort::~PublisherPort() {
  close();
  if (!struck_off()) port_.destroy();
}

void PublisherPort::close() noexcept {
  if (std::exchange(attended_, false)) runtime_->attendant().forget(*this);
  const std::lock_guard lock(bell_.mutex);
  bell_.close();
}

const Capabilities& PublisherPort::capabilities() const noexcept { return promised; }

const Error* PublisherPort::strike() noexcept {
  runtime_->lose("RouDi took this process for dead, as it was stopped or starved for more than a second");
  return runtime_->gone();
}

Status PublisherPort::loan(const spi::LoanRequest& request, spi::LoanRecord& record) {
  if (const Error* error = lost(); error != nullptr) [[unlikely]]
    return tl::unexpected(*error);
  // A bound that is quick to compute, and then the exact size: iceoryx aborts above the largest pool.
  const std::uint64_t most = request.size + request.header_size + request.alignment + 2 * sizeof(ChunkHeader);
  if (most > largest_chunk_) [[unlikely]] {
    constexpr std::uint64_t limit = std::numeric_limits<std::uint32_t>::max();
    const bool fits = most < limit && [&] {
      const auto settings = iox::mepoo::ChunkSettings::create(static_cast<std::uint32_t>(request.size),
                                                              static_cast<std::uint32_t>(request.alignment),
                                                              static_cast<std::uint32_t>(request.header_size), 1);
      return !settings.has_error() && settings.value().requiredChunkSize() <= largest_chunk_;
    }();
    if (!fits) return tl::unexpected(loan_refusal(request, AllocationError::NO_MEMPOOLS_AVAILABLE));
  }
  const auto allocated =
      port_.tryAllocateChunk(static_cast<std::uint32_t>(request.size), static_cast<std::uint32_t>(request.alignment),
                             static_cast<std::uint32_t>(request.header_size), 1);
  if (allocated.has_error()) [[unlikely]]
    return tl::unexpected(loan_refusal(request, allocated.get_error()));
  ChunkHeader* chunk = allocated.value();
  record.payload = static_cast<std::byte*>(chunk->userPayload());
  record.size = request.size;
  record.header = request.header_size == 0 ? nullptr : static_cast<std::byte*>(chunk->userHeader());
  record.header_size = request.header_size;
  record.token = reinterpret_cast<std::uint64_t>(chunk);
  return {};
}

Error PublisherPort::loan_refusal(const spi::LoanRequest& request, AllocationError error) const {
  const std::string what = fmt::format("topic \"{}\": a message of {} bytes with a user header of {}", topic_,
                                       request.size, request.header_size);
  switch (error) {
    case AllocationError::NO_MEMPOOLS_AVAILABLE:
      return {ErrorCode::limit_exceeded,
              fmt::format("{} does not fit into RouDi's largest pool, whose chunks have {} bytes with {} of header: "
                          "configure a larger pool (roudi.toml, or max_payload with roudi=spawn)",
                          what, largest_chunk_, sizeof(ChunkHeader))};
    case AllocationError::RUNNING_OUT_OF_CHUNKS:
      return {ErrorCode::resource_exhausted,
              fmt::format("{} finds no free chunk in RouDi's pool of its size, whose chunks are in loans, queues, "
                          "histories and samples in hand of all processes: release some, wait, or configure more "
                          "(roudi.toml, or memory "
                          "with roudi=spawn)",
                          what)};
    case AllocationError::TOO_MANY_CHUNKS_ALLOCATED_IN_PARALLEL:
      return {ErrorCode::limit_exceeded,
              fmt::format("{} exceeds the {} open loans of iceoryx (option loans)", what, promised.max_loans)};
    default:
      return {ErrorCode::internal, fmt::format("{}: {}", what, iox::popo::asStringLiteral(error))};
  }
}

void PublisherPort::drop(spi::LoanRecord& record) noexcept {
  if (struck_off()) return;  // RouDi has taken all chunks back
  SharedChunk chunk(nullptr);
  data_.m_chunkSenderData.m_chunksInUse.remove(&header_of(record), chunk);
}

bool PublisherPort::held_back() const noexcept {
  const auto& queues = data_.m_chunkSenderData.m_queues;
  return std::any_of(queues.begin(), queues.end(), [](const auto& queue) { return is_full(*queue); });
}

Result<std::uint64_t> PublisherPort::publish(spi::LoanRecord& record, std::optional<Deadline> deadline) {
  const Error* error = nullptr;
  const Deadline end = blocks_ ? deadline.value_or(after(qos_.deadline)) : never;
  while (true) {
    error = lost();
    if (error != nullptr) [[unlikely]]
      return tl::unexpected(*error);
    SharedChunk chunk(nullptr);
    Queues waiting;
    std::uint64_t sequence = 0;
    {
      const SharedLock lock(data_.m_chunkSenderData, [&] { return (error = lost()) != nullptr; });
      if (lock) error = lost();
      if (error != nullptr) [[unlikely]]
        return tl::unexpected(*error);
      if (!blocks_ || !held_back()) [[likely]] {
        auto& sender = data_.m_chunkSenderData;
        ChunkHeader& header = header_of(record);
        if (!sender.m_chunksInUse.remove(&header, chunk)) [[unlikely]]
          return tl::unexpected(*strike());
        sequence = sender.m_sequenceNumber++;
        note_joins(sequence);
        ChunkAccess::seal(header, sequence, static_cast<std::uint32_t>(record.size), joined_at_);
        for (auto& queue : sender.m_queues) {
          if (!push(*queue, chunk)) waiting.push_back(queue);
        }
        retain(chunk);
      }
    }
    if (chunk) [[likely]] {
      if (!waiting.empty()) [[unlikely]]
        hand_out_rest(chunk, waiting);
      refused_.store(false, std::memory_order_relaxed);
      return sequence;
    }
    if (passed(end)) return back_pressure();
    std::this_thread::sleep_until(std::min(end, after(look_interval)));
  }
}

bool PublisherPort::push(Queue& queue, const SharedChunk& chunk) noexcept {
  auto evicted = queue.m_queue.push(chunk);
  if (evicted.has_value()) {
    evicted.value().releaseToSharedChunk();
    if (blocks_ && queue.m_queueFullPolicy == QueueFullPolicy::BLOCK_PRODUCER) return false;
    queue.m_queueHasLostChunks.store(true, std::memory_order_relaxed);
  }
  // A publisher that was killed here leaves the queue's mutex locked for ever. Its subscriber then finds the sample
  // without being told, if it is weir's.
  std::optional<Deadline> patience;
  const SharedLock lock(queue, [&] {
    if (!patience) patience = after(stuck_queues_ ? std::chrono::milliseconds(0) : queue_patience);
    return passed(*patience);
  });
  if (!lock) [[unlikely]] {
    stuck_queues_ = true;
  } else if (queue.m_conditionVariableDataPtr) {
    iox::popo::ConditionNotifier(*queue.m_conditionVariableDataPtr.get(), *queue.m_conditionVariableNotificationIndex)
        .notify();
  }
  return true;
}

void PublisherPort::note_joins(std::uint64_t sequence) noexcept {
  // RouDi numbers queues as it makes them, appends who joins, and closes the gap of who leaves. Where a queue lies
  // tells nothing: the next that is made takes the place of one that is gone.
  const auto& queues = data_.m_chunkSenderData.m_queues;
  const auto number_of = [](const auto& queue) { return static_cast<std::uint64_t>(queue->m_uniqueId); };
  const std::uint64_t last = queues.empty() ? 0 : number_of(queues.back());
  if (queues.size() == queue_count_ && last == last_queue_) [[likely]]
    return;
  queue_count_ = queues.size();
  last_queue_ = last;
  for (const auto& queue : queues) {
    if (number_of(queue) <= newest_queue_) continue;
    newest_queue_ = number_of(queue);
    joined_at_ = sequence;
  }
}

void PublisherPort::retain(const SharedChunk& chunk) noexcept {
  auto& sender = data_.m_chunkSenderData;
  if (sender.m_historyCapacity > 0) {
    if (sender.m_history.size() >= sender.m_historyCapacity) {
      sender.m_history.begin()->releaseToSharedChunk();
      sender.m_history.erase(sender.m_history.begin());
    }
    sender.m_history.push_back(chunk);
  }
  sender.m_lastChunkUnmanaged.releaseToSharedChunk();
  sender.m_lastChunkUnmanaged = chunk;
}

void PublisherPort::hand_out_rest(const SharedChunk& chunk, Queues& waiting) {
  // Another publisher took the last place in between. The sample is accepted, so it stays until there is space, or
  // its subscriber leaves.
  while (!waiting.empty() && lost() == nullptr) {
    std::this_thread::sleep_for(look_interval);
    const SharedLock lock(data_.m_chunkSenderData, [&] { return lost() != nullptr; });
    if (!lock) return;
    const auto& joined = data_.m_chunkSenderData.m_queues;
    for (std::uint64_t at = waiting.size(); at-- > 0;) {
      const bool there = std::find(joined.begin(), joined.end(), waiting[at]) != joined.end();
      if (!there || push(*waiting[at], chunk)) waiting.erase(waiting.begin() + at);
    }
  }
}

tl::unexpected<Error> PublisherPort::back_pressure() {
  refused_.store(true, std::memory_order_relaxed);
  return failure(
      ErrorCode::back_pressure,
      fmt::format("topic \"{}\": a lossless subscriber has all of its depth unread at the deadline: wait for "
                  "space and publish again, or give it a larger depth",
                  topic_));
}

std::optional<bool> PublisherPort::has_space() noexcept {
  const SharedLock lock(data_.m_chunkSenderData, [&] { return lost() != nullptr; });
  if (!lock) return std::nullopt;
  return !held_back();
}

Result<Wake> PublisherPort::wait(Deadline deadline, const std::stop_token& stop) {
  while (true) {
    if (stop.stop_requested()) return Wake::interrupted;
    if (const Error* error = lost(); error != nullptr) return tl::unexpected(*error);
    if (has_space().value_or(false)) return Wake::ready;
    if (passed(deadline)) return Wake::deadline;
    std::unique_lock lock(bell_.mutex);
    bell_.wait(lock, std::min(deadline, after(look_interval)), stop, [] { return false; });
  }
}

Status PublisherPort::wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) {
  if (count > 1) {
    return failure(
        ErrorCode::unsupported,
        fmt::format("topic \"{}\": iceoryx tells only whether there is a subscriber at all: ask for 1, not {}", topic_,
                    count));
  }
  const Error* error = nullptr;
  const auto joined = [&] {
    const SharedLock lock(data_.m_chunkSenderData, [&] { return (error = lost()) != nullptr; });
    return lock && !data_.m_chunkSenderData.m_queues.empty();
  };
  while (true) {
    const bool enough = count == 0 || joined();
    if (error == nullptr) error = lost();
    if (error != nullptr) return tl::unexpected(*error);
    if (stop.stop_requested()) {
      return failure(ErrorCode::interrupted, fmt::format("topic \"{}\": the stop token was triggered", topic_));
    }
    if (enough) return {};
    if (passed(deadline)) {
      return failure(
          ErrorCode::timed_out,
          fmt::format("topic \"{}\": no subscriber has joined at the deadline: start one whose policy fits, or "
                      "wait longer",
                      topic_));
    }
    constexpr std::chrono::milliseconds interval(2);
    std::unique_lock lock(bell_.mutex);
    bell_.wait(lock, std::min(deadline, after(interval)), stop, [] { return false; });
  }
}

void PublisherPort::look() noexcept {
  const bool notable = lost() != nullptr || (refused_.load(std::memory_order_relaxed) && has_space().value_or(true));
  const std::lock_guard lock(bell_.mutex);
  bell_.ring(notable);
}

bool PublisherPort::impatient() const noexcept { return refused_.load(std::memory_order_relaxed); }

Result<int> PublisherPort::fd() {
  if (const Error* error = lost(); error != nullptr) return tl::unexpected(*error);
  Result<int> descriptor = [&] {
    const std::lock_guard lock(bell_.mutex);
    return bell_.fd();
  }();
  if (!std::exchange(attended_, true)) (void)runtime_->attendant().attend(*this);
  runtime_->attendant().hurry();
  look();
  return descriptor;
}

Result<std::optional<MembershipEvent>> PublisherPort::next_event() {
  return failure(ErrorCode::unsupported,
                 fmt::format("topic \"{}\": iceoryx does not tell who subscribes: use wait_for_subscribers", topic_));
}

Result<std::vector<Peer>> PublisherPort::peers() {
  return failure(ErrorCode::unsupported,
                 fmt::format("topic \"{}\": iceoryx does not tell who subscribes: use wait_for_subscribers", topic_));
}

}  // namespace weir::iceoryx
