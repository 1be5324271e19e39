// How a subscriber waits: it spins while a sample is expected at once, lets others run where that pays, and sleeps; and
// what its descriptor shows.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/subscriber_port.h"

namespace weir::shm {
namespace {

// A publisher can die between a sample and the bell: so sleepers look again this often.
constexpr std::chrono::milliseconds sleep_slice(100);

}  // namespace

bool SubscriberPort::settle() {
  const ReadableAfterFailure readable(tokens_);
  tokens_.drain();
  header_.asleep.store(armed_word(++generation_, WakeBy::token), std::memory_order_seq_cst);
  // A hang-up stays in the epoll set until its FIFO is closed, which noting the end does.
  epoll_event hung_up{};
  if (epoll_wait(epoll_.get(), &hung_up, 1, 0) > 0) {
    publishers_.find_ended();
    publishers_.note_hang_up(hung_up.data.u64);
    publishers_.let_go_of_ended();
  }
  // A listing that could not be completed is tried again at the next take, not in this one.
  const bool again = publishers_.is_incomplete();
  const bool something = (!again && publishers_.is_stale()) || publishers_.ready();
  if (something || again || !publishers_.log().empty()) {
    tokens_.write();
  }
  return !something;
}

Result<Wake> SubscriberPort::wait(Deadline deadline, const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return Wake::interrupted;  // also where something is always there: that loop is to end too
  }
  if (publishers_.is_stale()) {
    publishers_.refresh();
  }
  if (publishers_.ready()) {
    spinning_.note_no_wait();
    return Wake::ready;
  }
  if (passed(deadline)) {
    return Wake::deadline;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto ready = [this] { return publishers_.ready(); };
  // Who waits for an answer does so alone; where others wait too they want the processor.
  const std::uint64_t own = is_counted_ ? 1 : 0;
  if (spinning_.is_try() && (counters_.sleepers.load(std::memory_order_relaxed) > own || !is_processor_free())) {
    spinning_.end_try();
  }
  const Wake wake = spin(deadline, stop) || giving_way_.until(ready) ? Wake::ready : sleep(deadline, stop);
  spinning_.note(std::chrono::steady_clock::now() - begin);
  return wake;
}

bool SubscriberPort::spin(Deadline deadline, const std::stop_token& stop) noexcept {
  if (!spinning_.pays()) {
    return false;
  }
  const Deadline end = spinning_.end(deadline);
  constexpr int looks_between_clocks = 32;
  while (true) {
    for (int look = 0; look < looks_between_clocks; ++look) {
      if (publishers_.ready()) {
        return true;
      }
      pause_processor();
    }
    if (passed(end) || publishers_.is_stale() || stop.stop_requested()) {
      return false;
    }
  }
}

Wake SubscriberPort::sleep(Deadline deadline, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { ring(counters_.bell); });
  const ReadableAfterFailure readable(tokens_);
  const bool by_token = static_cast<bool>(tokens_);  // then it is counted for as long as it lives
  if (!by_token) {
    count_as_sleeper();
  }
  Wake outcome = Wake::deadline;
  while (true) {
    // The bell first: a publisher may ring for this generation on account of a sample that we have taken already, and
    // then never again for it (docs/model, m4, BELL_AFTER_ARM).
    const std::uint32_t bell = counters_.bell.load(std::memory_order_seq_cst);
    header_.asleep.store(armed_word(++generation_, WakeBy::futex), std::memory_order_seq_cst);
    if (publishers_.is_stale()) {
      publishers_.refresh();
    }
    if (publishers_.ready()) {
      outcome = Wake::ready;
      break;
    }
    if (stop.stop_requested()) {
      outcome = Wake::interrupted;
      break;
    }
    if (passed(deadline)) {
      break;
    }
    publishers_.tell_waiting();
    publishers_.let_go_of_ended();
    if (sleep_on(counters_.bell, bell, deadline, sleep_slice) || passed(next_look_for_ends_)) {
      // Nothing else tells of a death here: neither where nothing comes, nor where the living send often.
      publishers_.find_ended();
      next_look_for_ends_ = after(sleep_slice);
    }
  }
  header_.asleep.store(0, std::memory_order_seq_cst);
  if (by_token) {
    settle();  // the descriptor was not armed meanwhile
  } else {
    uncount_as_sleeper();
  }
  return outcome;
}

void SubscriberPort::count_as_sleeper() noexcept {
  if (std::exchange(is_counted_, true)) {
    return;  // a wait before this one ended by an exception
  }
  counters_.sleepers.fetch_add(1, std::memory_order_seq_cst);
  header_.counted.store(1, std::memory_order_release);
}

void SubscriberPort::uncount_as_sleeper() noexcept {
  is_counted_ = false;
  header_.asleep.store(0, std::memory_order_seq_cst);
  header_.counted.store(0, std::memory_order_release);
  counters_.sleepers.fetch_sub(1, std::memory_order_seq_cst);
}

Status SubscriberPort::make_descriptor() {
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
  count_as_sleeper();
  return {};
}

Result<int> SubscriberPort::fd() {
  if (!epoll_) {
    if (Status made = make_descriptor(); !made) {
      return tl::unexpected(made.error());
    }
  }
  if (!shows_all_) {
    publishers_.watch_with(epoll_.get());
    publishers_.find_ended();  // whose hang-up came before the watch
    settle();
    shows_all_ = true;
  }
  return epoll_.get();
}

Result<std::optional<MembershipEvent>> SubscriberPort::next_event() {
  if (publishers_.is_stale()) {
    publishers_.refresh();
  }
  if (!publishers_.log().recording()) {
    publishers_.record_events();
  }
  if (publishers_.log().empty()) {
    publishers_.find_ended();
    if (tokens_ && publishers_.log().empty()) {
      settle();
    }
  }
  return publishers_.log().next();
}

Result<std::vector<Peer>> SubscriberPort::peers() {
  if (publishers_.is_stale()) {
    publishers_.refresh();
  }
  return publishers_.peers();
}

}  // namespace weir::shm
