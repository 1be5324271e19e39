#include "transport/testing/model_run/scene.h"

#include <algorithm>
#include <array>
#include <stop_token>
#include <utility>

#include <fmt/format.h>

#include "transport/endpoint.h"
#include "transport/qos.h"
#include "transport/shm/backend.h"
#include "transport/testing/model_run/machine.h"
#include "transport/testing/model_run/scenarios.h"
#include "transport/testing/model_run/scheduled_word.h"
#include "transport/testing/model_run/scheduler.h"

namespace weir::testing {
namespace {

Scene* the_scene = nullptr;

template <class Value>
Value must(Result<Value> result) {
  if (!result) violate(result.error().message());
  return std::move(*result);
}

Endpoint endpoint_of(std::string_view options) {
  return must(Endpoint::parse(fmt::format("shm://topic?root=/root{}{}", options.empty() ? "" : "&", options)));
}

// A process has a backend of its own.
std::shared_ptr<spi::Backend> backend() { return shm::make_backend(); }

template <class Join>
auto join(IfTaken if_taken, const Join& try_join) {
  auto port = try_join();
  while (!port && port.error().code() == ErrorCode::name_taken && if_taken == IfTaken::wait) {
    pause();
    port = try_join();
  }
  return must(std::move(port));
}

using Word = ScheduledWord<std::uint64_t>;

// Of odd samples one word less is used, so that a size that belongs to another sample is seen.
std::size_t size_of(std::size_t payload, std::uint64_t sequence) { return payload - sequence % 2 * sizeof(Word); }

std::uint64_t content_of(std::uint64_t writer, std::uint64_t sequence) { return writer << 32U | sequence; }

// Payloads are bytes to the transport, and words here, so that the scheduler sees them.
const Word& word_at(const std::byte* payload, std::size_t offset) {
  return *reinterpret_cast<const Word*>(payload + offset);
}
Word& word_at(std::byte* payload, std::size_t offset) { return *reinterpret_cast<Word*>(payload + offset); }

const std::optional<Reader>& reader_of(std::size_t process) {
  return process == reading ? scene().reader : scene().second_reader;
}
// Whether publishers must mind the depth of the subscriber of that process.
bool holds_back(std::size_t process) {
  const std::optional<Reader>& reader = reader_of(process);
  return reader && reader->lossless() && !reader->has_left() && !has_died(process);
}

}  // namespace

Scene& scene() noexcept { return *the_scene; }
void make_scene() { the_scene = new Scene(); }  // goes with the execution's memory

void expect(bool holds, std::string_view what) {
  if (!holds) violate(std::string(what));
}

// ---- Writer ----

Writer::Writer(std::string_view options, std::size_t payload, IfTaken if_taken)
    : payload_(payload), writer_(++scene().ghost.writers) {
  const Endpoint endpoint = endpoint_of(options);
  const auto shm = backend();
  const PublisherQos qos = must(resolve(endpoint, PublisherOptions{}, shm->option_keys()));
  port_ = join(if_taken, [&] { return shm->publisher(endpoint, qos); });
}

bool Writer::publish(std::optional<Deadline> deadline) {
  const std::uint64_t sequence = port_->next_sequence();
  // Who joins during the call may come too late for it.
  const std::array<bool, most_processes> held_back_by{false, holds_back(reading), holds_back(third)};
  spi::LoanRecord loan;
  Status lent = port_->loan({.size = size_of(payload_, sequence)}, loan);
  while (!lent && lent.error().code() == ErrorCode::resource_exhausted && somebody_is_dying()) {
    pause();  // who has not dropped its lock yet is alive to others
    lent = port_->loan({.size = size_of(payload_, sequence)}, loan);
  }
  if (!lent) violate(lent.error().message());
  word_at(loan.payload, 0).store(content_of(writer_, sequence), std::memory_order_relaxed);
  word_at(loan.payload, loan.size - sizeof(Word)).store(content_of(writer_, sequence), std::memory_order_relaxed);
  Ghost& ghost = scene().ghost;
  const std::uint64_t begun_before = std::exchange(ghost.begun, std::max(ghost.begun, sequence + 1));
  const Result<std::uint64_t> published = port_->publish(loan, deadline);
  if (!published) {
    if (published.error().code() != ErrorCode::back_pressure) violate(published.error().message());
    ghost.begun = begun_before;
    port_->drop(loan);
    return false;
  }
  if (*published != sequence) violate(fmt::format("sample {} was published as {}", sequence, *published));
  ghost.published = std::max(ghost.published, sequence + 1);
  for (const std::size_t process : {reading, third}) {
    const std::optional<Reader>& reader = reader_of(process);
    if (held_back_by[process] && holds_back(process) && sequence >= reader->may_have_taken() + reader->depth()) {
      violate(fmt::format("sample {} was published beyond the depth of a lossless subscriber", sequence));
    }
  }
  return true;
}

void Writer::publish(std::uint64_t count) {
  for (std::uint64_t sample = 0; sample < count; ++sample) expect(publish(), "a sample was refused");
}

void Writer::leave() {
  port_->close();
  port_.reset();
}

// ---- Reader ----

Reader::Reader(std::string_view options, std::size_t payload, std::optional<Return> returns)
    : payload_(payload), returned_(returns.has_value()) {
  const Endpoint endpoint = endpoint_of(options);
  const auto shm = backend();
  const SubscriberQos qos = must(resolve(endpoint, SubscriberOptions{}, shm->option_keys()));
  const auto behind = [&](std::uint64_t end) { return end - std::min(end, qos.history); };
  earliest_ = behind(scene().ghost.published);
  port_ = join(returns ? IfTaken::wait : IfTaken::fail, [&] { return shm->subscriber(endpoint, qos); });
  latest_ = behind(scene().ghost.begun);
  if (returns) {
    earliest_ = returns->earliest;
    latest_ = returns->latest;
  }
  depth_ = qos.depth;
  lossless_ = qos.policy == SlowPolicy::lossless;
}

bool Reader::take() {
  spi::SampleRecord sample;
  const std::uint64_t published_before = scene().ghost.published;
  taking_ = true;
  const bool taken = must(port_->take(sample));
  taking_ = false;
  if (!taken) return false;
  check(sample, published_before);
  end_ = sample.sequence + 1;
  const std::uint64_t content = word_at(sample.payload, 0).load(std::memory_order_relaxed);
  in_hand_.push_back({.record = sample, .content = content});
  if ((content & 0xffff'ffff) != sample.sequence || content >> 32U == 0) {
    violate(fmt::format("sample {} came with the content {:x}", sample.sequence, content));
  }
  look_at_samples_in_hand();
  return true;
}

void Reader::check(const spi::SampleRecord& sample, std::uint64_t published_before) {
  const std::uint64_t first = sample.sequence - sample.lost_before;
  if (sample.lost_before > sample.sequence) violate(fmt::format("sample {} came with a loss of more", sample.sequence));
  if (end_ && first < *end_) violate(fmt::format("sample {} came after {} was there", first, *end_ - 1));
  if (end_ && first > *end_) violate(fmt::format("sample {} came after {} without a word", first, *end_ - 1));
  if (!end_ && (first < earliest_ || first > latest_)) {
    violate(fmt::format("a subscriber began with sample {}, and not from {} to {}", first, earliest_, latest_));
  }
  if (sample.sequence >= scene().ghost.begun) violate(fmt::format("sample {} came from nowhere", sample.sequence));
  if (sample.size != size_of(payload_, sample.sequence)) {
    violate(fmt::format("sample {} has {} bytes", sample.sequence, sample.size));
  }
  if (!lossless_ && published_before > sample.sequence + depth_) {
    violate(fmt::format("sample {} came when {} were published, with a depth of {}", sample.sequence, published_before,
                        depth_));
  }
  if (sample.lost_before == 0) return;
  if (lossless_ && !(returned_ && !end_))
    violate(
        fmt::format("{} samples before {} were lost to a lossless subscriber", sample.lost_before, sample.sequence));
  if (!lossless_ && scene().ghost.begun < sample.sequence + depth_) {
    violate(fmt::format("{} samples before {} were lost with {} begun and a depth of {}", sample.lost_before,
                        sample.sequence, scene().ghost.begun, depth_));
  }
}

void Reader::look_at_samples_in_hand() const {
  for (const InHand& one : in_hand_) {
    for (const std::size_t offset : {std::size_t{0}, one.record.size - sizeof(Word)}) {
      const std::uint64_t content = word_at(one.record.payload, offset).load(std::memory_order_relaxed);
      if (content == one.content) continue;
      violate(fmt::format("sample {} in hand was overwritten: {:x} became {:x}", one.record.sequence, one.content,
                          content));
    }
  }
}

void Reader::release(std::size_t keep) {
  while (in_hand_.size() > keep) {
    look_at_samples_in_hand();
    port_->release(in_hand_.front().record);
    in_hand_.erase(in_hand_.begin());
  }
}

void Reader::drain() {
  while (take()) release();
}

void Reader::take_until(std::uint64_t end) {
  while (!end_ || *end_ < end) {
    drain();
    if (end_ && *end_ >= end) break;
    must(port_->wait(never, std::stop_token()));
  }
}

void Reader::expect_end(std::uint64_t end) const {
  if (end_ ? *end_ != end : end > latest_) {
    violate(fmt::format("the stream ended at {} for a subscriber that has seen it up to {}", end,
                        end_ ? std::to_string(*end_) : "nothing"));
  }
}

std::uint64_t Reader::may_have_taken() const noexcept {
  // What a durable one finds gone when it returns is as good as taken.
  if (!end_ && returned_) return scene().ghost.begun;
  return end_.value_or(latest_) + (taking_ ? 1 : 0);
}

void Reader::leave() {
  leaves_ = true;
  release();
  port_->close();
  port_.reset();
}

// ---- Scene ----

void expect_nothing_left_behind() {
  go_on_as(writing);
  if (scene().writer && !has_died(writing)) scene().writer->leave();
  go_on_as(reading);
  if (scene().reader && !has_died(reading)) scene().reader->leave();
  go_on_as(third);
  if (scene().successor) scene().successor->leave();
  if (scene().second_reader) scene().second_reader->leave();
  const Endpoint visitor = must(Endpoint::parse("shm://visitor?root=/root"));
  const auto shm = backend();
  must(shm->publisher(visitor, must(resolve(visitor, PublisherOptions{}, shm->option_keys()))))->close();
  for (const std::string& name : machine().everything()) {
    if (name != "/root" && name != "/root/v1") violate("left behind: " + name);
  }
}

}  // namespace weir::testing
