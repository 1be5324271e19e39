// What a publisher waits for: space in its ring, subscribers, events.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/publisher_port.h"

namespace weir::shm {
namespace {

// Nothing wakes a publisher when the subscriber that holds it back dies: so it looks at the locks this often.
constexpr std::chrono::milliseconds death_slice(2);
// The same where nothing depends on being fast.
constexpr std::chrono::milliseconds join_slice(10);
// Whose takes can end a wait, where it is not one alone.
constexpr PeerId all_of_them = 0;

}  // namespace

bool PublisherPort::look_for_space() {
  flow_.refresh(next_);
  if (flow_.admitted(next_) && flow_.settled()) {
    return true;
  }
  if (subscribers_.drop_dead_gates(next_)) {
    flow_.refresh(next_);
  }
  return flow_.admitted(next_);
}

bool PublisherPort::spin_for_space(Deadline deadline) {
  if (!spinning_.pays()) {
    return false;
  }
  const Deadline end = spinning_.end(deadline);
  do {
    pause_between_looks();
    flow_.refresh(next_);
    if (flow_.admitted(next_)) {
      return true;
    }
  } while (!passed(end));
  return false;
}

void PublisherPort::arm(WakeBy by, PeerId awaited) noexcept {
  header_.awaited.store(awaited, std::memory_order_release);
  header_.want.store(armed_word(++generation_, by), std::memory_order_seq_cst);
}

bool PublisherPort::sleep_for_space(Deadline deadline) {
  const ReadableAfterFailure readable(tokens_);
  arm(WakeBy::futex, subscribers_.furthest_behind());
  const std::uint32_t twin = counters_.twin.load(std::memory_order_seq_cst);
  bool space = look_for_space();
  if (!space) {
    sleep_on(counters_.twin, twin, deadline, death_slice);
    space = look_for_space();
  }
  header_.want.store(0, std::memory_order_seq_cst);
  return space;
}

Status PublisherPort::wait_for_admission(std::optional<Deadline> deadline) {
  if (refused_) {
    pause_between_looks();  // the last try was refused too
  }
  flow_.refresh(next_);
  bool space = (flow_.admitted(next_) && flow_.settled()) || look_for_space();
  if (!space && qos_.grant == Grant::block) {
    const auto begin = std::chrono::steady_clock::now();
    const Deadline until = deadline ? *deadline : after(qos_.deadline);
    const auto has_space = [this] {
      flow_.refresh(next_);
      return flow_.admitted(next_);
    };
    space = spin_for_space(until) || (!passed(until) && giving_way_.until(has_space));
    while (!space && !passed(until)) {
      space = sleep_for_space(until);
    }
    spinning_.note(std::chrono::steady_clock::now() - begin);
  }
  if (space) {
    if (std::exchange(refused_, false)) {
      header_.want.store(0, std::memory_order_relaxed);
    }
    return {};
  }
  refused_ = true;
  if (tokens_) {
    settle();
  }
  if (!back_pressure_) {
    back_pressure_.emplace(
        ErrorCode::back_pressure,
        fmt::format(
            "topic \"{}\": a lossless subscriber has not taken what it was sent (grant={}): take faster, give it more "
            "depth, or publish again later",
            topic_->place().topic, to_string(qos_.grant)));
  }
  return tl::unexpected(*back_pressure_);
}

Result<Wake> PublisherPort::wait(Deadline deadline, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { ring(counters_.twin); });
  while (true) {
    const bool interrupted = stop.stop_requested();
    if (!interrupted && look_for_space()) {
      if (std::exchange(refused_, false)) {
        header_.want.store(0, std::memory_order_relaxed);
      }
      return Wake::ready;
    }
    if (interrupted || passed(deadline)) {
      if (tokens_) {
        refused_ = true;  // who looked in vain may wait on the descriptor now
        settle();
      }
      return interrupted ? Wake::interrupted : Wake::deadline;
    }
    sleep_for_space(deadline);
  }
}

std::uint64_t PublisherPort::oldest_wanted() {
  flow_.refresh(next_);
  return std::min(flow_.floor(), next_);
}

void PublisherPort::watch_takes() {
  if (!tokens_) {
    return;
  }
  tokens_.drain();
  refused_ = true;
  arm(WakeBy::token, all_of_them);
}

Status PublisherPort::wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { ring(counters_.twin); });
  while (true) {
    const std::uint32_t twin = counters_.twin.load(std::memory_order_seq_cst);
    subscribers_.refresh();
    if (subscribers_.joined() >= count) {
      subscribers_.drop_dead();
      if (subscribers_.joined() >= count) {
        return {};
      }
    }
    if (stop.stop_requested()) {
      return failure(ErrorCode::interrupted,
                     fmt::format("topic \"{}\": the wait for subscribers was interrupted", topic_->place().topic));
    }
    if (passed(deadline)) {
      return failure(
          ErrorCode::timed_out,
          fmt::format("topic \"{}\": {} of {} subscribers joined before the deadline: start them, or wait longer",
                      topic_->place().topic, subscribers_.joined(), count));
    }
    sleep_on(counters_.twin, twin, deadline, join_slice);
  }
}

bool PublisherPort::look_whether_taken(std::uint64_t sequence) {
  subscribers_.refresh();
  if (subscribers_.needs(next_).oldest <= sequence) {
    subscribers_.drop_dead();
  }
  return subscribers_.is_complete() && subscribers_.needs(next_).oldest > sequence;
}

// Lossless subscribers ring for each quarter of their depth while `want` is set, and all when they begin to wait for
// more; one that does neither is seen at the next look.
Status PublisherPort::wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { ring(counters_.twin); });
  const ReadableAfterFailure readable(tokens_);
  bool taken = look_whether_taken(sequence);
  while (!taken && !stop.stop_requested() && !passed(deadline)) {
    arm(WakeBy::futex, all_of_them);
    const std::uint32_t twin = counters_.twin.load(std::memory_order_seq_cst);
    taken = look_whether_taken(sequence);
    if (!taken && !stop.stop_requested()) {
      sleep_on(counters_.twin, twin, deadline, death_slice);
      taken = look_whether_taken(sequence);
    }
    header_.want.store(0, std::memory_order_seq_cst);
  }
  if (tokens_) {
    settle();  // the descriptor was not armed meanwhile
  }
  if (stop.stop_requested()) {
    return failure(ErrorCode::interrupted,
                   fmt::format("topic \"{}\": the wait until sample {} is taken was interrupted", topic_->place().topic,
                               sequence));
  }
  if (!taken) {
    return failure(ErrorCode::timed_out,
                   fmt::format("topic \"{}\": not all of {} subscribers had taken sample {} at the deadline: look what "
                               "keeps them, or wait longer",
                               topic_->place().topic, subscribers_.joined(), sequence));
  }
  return {};
}

Status PublisherPort::make_descriptor() {
  const std::string what = fmt::format("topic \"{}\": making a descriptor to wait on", topic_->place().topic);
  File epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) {
    return tl::unexpected(system_error(what, errno));
  }
  Result<TokenFifo> tokens = TokenFifo::make(*topic_, wake_name(segment_.name.role, segment_.name.id), what);
  if (!tokens) {
    return tl::unexpected(tokens.error());
  }
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, tokens->descriptor(), &event) != 0) {
    return tl::unexpected(system_error(what, errno));
  }
  tokens_ = std::move(*tokens);
  epoll_ = std::move(epoll);
  header_.watching.store(1, std::memory_order_seq_cst);
  return {};
}

Result<int> PublisherPort::fd() {
  if (!epoll_) {
    if (Status made = make_descriptor(); !made) {
      return tl::unexpected(made.error());
    }
  }
  if (!shows_all_) {
    subscribers_.watch_with(epoll_.get());
    subscribers_.drop_dead();  // whose hang-up came before the watch
    settle();
    shows_all_ = true;
  }
  return epoll_.get();
}

void PublisherPort::settle() {
  const ReadableAfterFailure readable(tokens_);
  tokens_.drain();
  if (refused_) {
    arm(WakeBy::token, all_of_them);
  } else {
    header_.want.store(0, std::memory_order_seq_cst);
  }
  // Who dies between two looks is shown by its life FIFO; dropping it here closes that.
  epoll_event hung_up{};
  if (epoll_wait(epoll_.get(), &hung_up, 1, 0) > 0) {
    subscribers_.drop_dead();
    subscribers_.note_hang_up(hung_up.data.u64);
  }
  subscribers_.refresh();
  // A listing that could not be completed is tried again at the next look: nothing would tell when.
  if (subscribers_.is_stale() || !subscribers_.log().empty() || (refused_ && look_for_space())) {
    tokens_.write();
  }
}

Result<std::optional<MembershipEvent>> PublisherPort::next_event() {
  subscribers_.refresh();
  if (!subscribers_.log().recording()) {
    subscribers_.record_events();
  }
  if (subscribers_.log().empty()) {
    subscribers_.drop_dead();
    if (tokens_ && subscribers_.log().empty()) {
      settle();
    }
  }
  return subscribers_.log().next();
}

Result<std::vector<Peer>> PublisherPort::peers() {
  subscribers_.refresh();
  subscribers_.drop_dead();
  return subscribers_.peers();
}

}  // namespace weir::shm
