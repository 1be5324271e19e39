#include "adapters/bridge/route.h"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace weir::bridge {
namespace {

using namespace std::chrono_literals;

// How often an idle route looks whether its sides are still there.
constexpr auto look_interval = 200ms;
// How long it waits before it opens a side anew, or asks again for memory.
constexpr auto retry_pause = 50ms;
// How long it waits for memory without a word.
constexpr auto silent_for = 1s;
// How long a stopped route goes on with what has come already.
constexpr auto farewell = 2s;

bool is_full(ErrorCode code) { return code == ErrorCode::back_pressure || code == ErrorCode::resource_exhausted; }

// It is the message that cannot be carried, not the side that is gone.
bool is_unfit(ErrorCode code) {
  return code == ErrorCode::limit_exceeded || code == ErrorCode::invalid_argument || code == ErrorCode::unsupported ||
         code == ErrorCode::incompatible;
}

void pause(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  never_notified.wait_for(lock, stop, time, [] { return false; });
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

void copy(std::span<const std::byte> from, std::span<std::byte> to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

void add(std::atomic<std::uint64_t>& count, std::uint64_t number) {
  count.store(count.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);  // this thread alone writes
}

}  // namespace

Route::Route(Node& node, RouteOptions options, Announce announce)
    : node_(node), options_(std::move(options)), announce_(std::move(announce)) {}

Result<std::unique_ptr<Route>> Route::open(Node& node, RouteOptions options, Announce announce) {
  std::unique_ptr<Route> route(new Route(node, std::move(options), std::move(announce)));
  // The way out first: what comes in then finds it open.
  for (const Status& opened : {route->open_to(), route->open_from()}) {
    if (!opened && opened.error().code() != ErrorCode::unavailable) return tl::unexpected(opened.error());
  }
  return route;
}

Status Route::open_from() {
  return node_.subscriber(options_.from).map([&](Subscriber&& side) { from_.emplace(std::move(side)); });
}

Status Route::open_to() {
  return node_.publisher(options_.to).map([&](Publisher&& side) { to_.emplace(std::move(side)); });
}

bool Route::open_sides(const std::stop_token& stop) {
  while (!from_ || !to_) {
    Status opened = to_ ? Status() : open_to();
    if (opened && !from_) opened = open_from();
    if (opened) {
      if (std::exchange(waiting_, false)) {
        add(counts_.returns, 1);
        announce_(fmt::format("{} -> {}: both sides are there again", options_.from, options_.to));
      }
      break;
    }
    if (!std::exchange(waiting_, true)) {
      announce_(fmt::format("{} -> {}: waiting for a side: {}", options_.from, options_.to, opened.error().message()));
    }
    look_at_sides();
    pause(retry_pause, stop);
    if (stop.stop_requested()) return false;
  }
  return true;
}

template <class Side>
void Route::lose(std::optional<Side>& side, const std::string& uri, const Error& error) {
  side.reset();
  waiting_ = true;
  idle_.store(false, std::memory_order_relaxed);  // what comes meanwhile may wait
  announce_(fmt::format("{}: gone; what is sent until it is back is lost uncounted: {}", uri, error.message()));
}

void Route::look_at_sides() {
  if (from_) {
    // Not wait(), which tells nothing as long as there are samples.
    const Result<int> there = from_->fd();
    if (!there && there.error().code() == ErrorCode::unavailable) {
      keep_copies();
      if (from_) lose(from_, options_.from, there.error());
    }
  }
  if (to_) {
    if (const Result<Wake> there = to_->wait(at_once); !there) lose(to_, options_.to, there.error());
  }
}

void Route::keep_copies() {
  // One more than can have waited, as one may be in hand; what is sent still is lost.
  for (std::uint64_t left = from_->qos().depth + 1; left > 0 && take(); --left) {
    kept_.push_back({.payload = copy_of(in_hand_.payload()), .header = copy_of(in_hand_.header())});
    in_hand_ = Sample();
  }
}

void Route::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!open_sides(stop)) break;
    const Result<Wake> wake = kept_.empty() ? from_->wait(after(look_interval), stop) : Wake::ready;
    if (!wake) {
      lose(from_, options_.from, wake.error());
      continue;
    }
    idle_.store(*wake == Wake::deadline && !in_hand_, std::memory_order_relaxed);
    carry_all(stop);
  }
  finish(stop);
  from_.reset();
  to_.reset();
}

void Route::finish(const std::stop_token& stop) {
  const Deadline end = after(farewell);
  // No more of a publisher than had room when it was stopped, and the one in hand.
  const std::uint64_t most = from_ ? from_->qos().depth + 1 : 1;
  const bool is_durable = from_ && from_->qos().durability == Durability::persistent;
  std::map<PeerId, std::uint64_t> handled;
  std::uint64_t left = 0;
  while (has_message()) {
    if (kept_.empty() && ++handled[in_hand_.publisher()] > most) break;
    const std::uint64_t carried = counts_.carried.load(std::memory_order_relaxed);
    if (!to_ || passed(end) || carry_next(stop) == Fate::side_gone) {
      discard_next();
      ++left;
    }
    // What this one cannot carry any more, and has not taken, waits for the next.
    if (is_durable && kept_.empty() && counts_.carried.load(std::memory_order_relaxed) == carried) break;
  }
  note_drops();
  in_hand_ = Sample();
  if (left == 0) return;
  add(counts_.dropped, left);
  announce_(
      fmt::format("{} -> {}: {} messages were left behind, as the bridge ended", options_.from, options_.to, left));
}

bool Route::take() {
  while (from_ && !in_hand_) {
    Result<Sample> sample = from_->take();
    if (!sample && sample.error().code() == ErrorCode::corrupt) {  // of one publisher, which is left out from now on
      announce_(fmt::format("{}: a publisher is left out: {}", options_.from, sample.error().message()));
      continue;
    }
    if (!sample) {
      lose(from_, options_.from, sample.error());
      break;
    }
    if (!*sample) break;
    note_loss(*sample);
    in_hand_ = std::move(*sample);
  }
  return static_cast<bool>(in_hand_);
}

void Route::discard_next() {
  if (kept_.empty()) {
    in_hand_ = Sample();
  } else {
    kept_.pop_front();
  }
}

void Route::carry_all(const std::stop_token& stop) {
  constexpr int batch = 64;
  for (int count = 0; count < batch && !stop.stop_requested() && has_message(); ++count) {
    if (carry_next(stop) == Fate::side_gone) return;  // and the message stays in hand
  }
  if (const Result<Wake> there = to_->wait(at_once); !there) lose(to_, options_.to, there.error());
}

Route::Fate Route::carry_next(const std::stop_token& stop) {
  const Fate fate = kept_.empty() ? carry(in_hand_.payload(), in_hand_.header(), stop)
                                  : carry(kept_.front().payload, kept_.front().header, stop);
  if (fate == Fate::done) discard_next();
  return fate;
}

Route::Fate Route::carry(Bytes payload, Bytes header, const std::stop_token& stop) {
  const bool waits = options_.when_full == WhenFull::block && to_->qos().grant != Grant::drop;
  std::optional<Deadline> complaint = after(silent_for);
  while (true) {
    Result<Loan> loan = to_->loan(payload.size(), header.size());
    if (loan) {
      copy(payload, loan->payload());
      copy(header, loan->header());
      return publish(*loan, stop);
    }
    if (!is_full(loan.error().code()) || !waits || stop.stop_requested()) {
      return pass_over(loan.error());
    }
    if (complaint && passed(*complaint)) {
      announce_(
          fmt::format("{} -> {}: a message waits for memory: {}", options_.from, options_.to, loan.error().message()));
      complaint.reset();
    }
    pause(retry_pause, stop);
  }
}

Route::Fate Route::publish(Loan& loan, const std::stop_token& stop) {
  const std::size_t bytes = loan.payload().size();
  while (true) {
    const auto sent = loan.publish(at_once);
    if (sent) {
      note_carried(bytes);
      return Fate::done;
    }
    if (!is_full(sent.error().code()) || options_.when_full == WhenFull::drop || stop.stop_requested()) {
      return pass_over(sent.error());
    }
    if (const Result<Wake> space = to_->wait(after(look_interval), stop); !space) return pass_over(space.error());
  }
}

Route::Fate Route::pass_over(const Error& error) {
  if (is_unfit(error.code())) {
    add(counts_.unfit, 1);
    announce_(fmt::format("{} -> {}: a message cannot be carried and is lost: {}", options_.from, options_.to,
                          error.message()));
    return Fate::done;
  }
  if (is_full(error.code())) {
    add(counts_.dropped, 1);
    ++drops_in_a_row_;
    return Fate::done;
  }
  lose(to_, options_.to, error);
  return Fate::side_gone;
}

void Route::note_carried(std::size_t bytes) {
  note_drops();
  add(counts_.carried, 1);
  add(counts_.bytes, bytes);
}

void Route::note_loss(const Sample& sample) {
  if (sample.lost_before() == 0) return;
  add(counts_.lost, sample.lost_before());
  announce_(fmt::format("{}: {} messages were lost before number {} of publisher {:x}", options_.from,
                        sample.lost_before(), sample.sequence(), sample.publisher()));
}

void Route::note_drops() {
  if (const std::uint64_t drops = std::exchange(drops_in_a_row_, 0); drops > 0) {
    announce_(fmt::format("{}: {} messages were dropped, as a subscriber had no room", options_.to, drops));
  }
}

Counts Route::counts() const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& count) { return count.load(std::memory_order_relaxed); };
  return {.carried = read(counts_.carried),
          .bytes = read(counts_.bytes),
          .lost = read(counts_.lost),
          .dropped = read(counts_.dropped),
          .unfit = read(counts_.unfit),
          .returns = read(counts_.returns)};
}

}  // namespace weir::bridge
