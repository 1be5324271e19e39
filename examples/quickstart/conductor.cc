#include "examples/quickstart/conductor.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <vector>

#include <fmt/format.h>

#include "examples/quickstart/cast.h"
#include "examples/quickstart/display.h"
#include "examples/quickstart/interrupts.h"
#include "examples/quickstart/member.h"

namespace quickstart {
namespace {

using std::chrono::steady_clock;

constexpr int tick = 50;                    // milliseconds until the next look, if nothing is reported
constexpr int patience = 30 * 1000 / tick;  // looks in a row without a report; a stopped conductor loses none by that

class Conductor {
 public:
  Conductor(const Cast& cast, const Source& file, const weir::Capabilities& promised)
      : file_(file),
        promised_(promised),
        publisher_(cast.publisher),
        lossless_(cast.lossless),
        slow_(cast.slow),
        again_(cast.again),
        late_(cast.late) {}

  // The whole run, to the end of the last process.
  weir::Status play() {
    return begin()
        .and_then([this] { return replace_slow(); })
        .and_then([this] { return let_late_join(); })
        .and_then([this] { return end(); });
  }

  // What came of it, but for the file's checksum and for leftovers.
  [[nodiscard]] Verdict verdict() const;

 private:
  // The stream begins when two subscribers are there.
  weir::Status begin();
  // In the middle of it the slow subscriber dies, most likely with a message in hand, and another takes its place.
  weir::Status replace_slow();
  // Somebody joins who first wants to see the newest messages before it. The publisher stands at its last gate
  // meanwhile, so it is known which these are.
  weir::Status let_late_join();
  // All who live get to the end of the file.
  weir::Status end();

  weir::Status start(std::initializer_list<Member*> members);
  // Receives reports until something holds. Errors: of a member that fails; timed_out; interrupted.
  weir::Status until(const std::function<bool()>& holds);
  weir::Status receive(Member& member);

  [[nodiscard]] std::array<Member*, 5> members() { return {&publisher_, &lossless_, &slow_, &again_, &late_}; }
  [[nodiscard]] double percent() const {
    return 100 * static_cast<double>(publisher_.account().bytes) / static_cast<double>(file_.size());
  }
  [[nodiscard]] double seconds() const;
  [[nodiscard]] std::string how_fast() const;
  [[nodiscard]] Moment moment() const;
  [[nodiscard]] Outcome outcome(const Member& member) const;

  const Source& file_;
  weir::Capabilities promised_;
  Interrupts interrupts_;  // until the members are gone
  Display display_;
  Member publisher_;
  Member lossless_;
  Member slow_;
  Member again_;
  Member late_;
  steady_clock::time_point began_;
  steady_clock::time_point ended_;
  std::string killed_;  // when the slow one was, for people
  std::uint64_t published_before_late_ = 0;
  std::vector<std::string> events_;  // that the publisher was told
};

weir::Status Conductor::start(std::initializer_list<Member*> members) {
  for (Member* member : members) {
    if (weir::Status started = member->start(); !started) {
      return started;
    }
  }
  return until([&] {
    return std::all_of(members.begin(), members.end(), [](const Member* member) { return member->has_joined(); });
  });
}

weir::Status Conductor::begin() {
  return start({&publisher_, &lossless_, &slow_}).map([this] {
    began_ = steady_clock::now();
    publisher_.go();
  });
}

weir::Status Conductor::replace_slow() {
  return until([this] { return percent() >= 25 && slow_.account().messages > 0; })
      .and_then([this] {
        slow_.kill();
        killed_ = fmt::format("killed at {:.0f} %", percent());
        display_.note(
            fmt::format("SIGKILL to slow (pid {}) at {:.0f} %; another takes its place", slow_.pid(), percent()));
        return start({&again_});
      })
      .map([this] { publisher_.go(); });
}

weir::Status Conductor::let_late_join() {
  return until([this] { return publisher_.account().bytes >= file_.size() / 4 * 3; })
      .and_then([this] {
        published_before_late_ = publisher_.account().messages;
        display_.note(fmt::format("a late one joins at {:.0f} %", percent()));
        return start({&late_});
      })
      .map([this] { publisher_.go(); });
}

weir::Status Conductor::end() {
  return until([this] { return lossless_.is_done(); })
      .and_then([this] {
        ended_ = steady_clock::now();
        return until([this] { return again_.is_done() && late_.is_done(); });
      })
      .and_then([this] {
        publisher_.go();  // it may stay until nobody needs it any more
        return until([this] { return publisher_.is_done(); });
      })
      .map([this] { display_.finish(moment()); });
}

weir::Status Conductor::until(const std::function<bool()>& holds) {
  int idle = 0;
  while (!holds()) {
    const auto all = members();
    std::array<pollfd, 6> sources{};
    std::transform(all.begin(), all.end(), sources.begin(), [](const Member* member) {
      return pollfd{.fd = member->reports(), .events = POLLIN, .revents = 0};
    });
    sources.back() = {.fd = interrupts_.descriptor(), .events = POLLIN, .revents = 0};
    idle = poll(sources.data(), sources.size(), tick) > 0 ? 0 : idle + 1;
    if (weir::Status quiet = interrupts_.check(); !quiet) {
      return quiet;
    }
    for (std::size_t index = 0; index < all.size(); ++index) {
      if (sources[index].revents != 0) {
        if (weir::Status received = receive(*all[index]); !received) {
          return received;
        }
      }
    }
    if (idle >= patience) {
      return weir::failure(
          weir::ErrorCode::timed_out,
          fmt::format("nothing has moved for {} s, at {:.0f} % of the file", patience * tick / 1000, percent()));
    }
    display_.show(moment());
  }
  return {};
}

weir::Status Conductor::receive(Member& member) {
  const bool had_joined = member.has_joined();
  weir::Status received = member.receive();
  if (!had_joined && member.has_joined()) {
    display_.note(fmt::format("{} (pid {}) has joined", member.task().name, member.pid()));
  }
  for (std::string& event : member.take_events()) {
    if (!event.ends_with("joined")) {  // that is on the screen already
      display_.note(fmt::format("the publisher is told: {}", event));
    }
    events_.push_back(std::move(event));
  }
  return received;
}

double Conductor::seconds() const {
  if (began_ == steady_clock::time_point()) {
    return 0;
  }
  const steady_clock::time_point until = ended_ == steady_clock::time_point() ? steady_clock::now() : ended_;
  return std::chrono::duration<double>(until - began_).count();
}

Moment Conductor::moment() const {
  Moment moment{.bytes = publisher_.account().bytes, .total = file_.size(), .seconds = seconds(), .counters = {}};
  for (const Member* member : {&lossless_, &slow_, &again_, &late_}) {
    if (member->state() == Member::State::absent) {
      continue;
    }
    moment.counters.push_back({.name = member->task().name,
                               .messages = member->account().messages,
                               .bytes = member->account().bytes,
                               .lost = member->account().lost,
                               .state = std::string(to_string(member->state()))});
  }
  return moment;
}

Outcome Conductor::outcome(const Member& member) const {
  Outcome outcome{.name = member.task().name,
                  .policy = std::string(weir::to_string(member.task().policy)),
                  .account = member.account(),
                  .expected = {.lossless = member.task().policy == weir::SlowPolicy::lossless,
                               .whole_file = member.task().whole_file,
                               .history = member.task().history},
                  .remark = {}};
  if (&member == &lossless_ || &member == &slow_) {
    outcome.expected.begins = 0;  // the publisher had waited for them
  }
  if (&member == &slow_) {
    outcome.expected.to_the_end = false;
    outcome.remark = killed_;
  }
  if (&member == &late_) {
    outcome.expected.begins_at_the_earliest =
        published_before_late_ - std::min(published_before_late_, member.task().history);
    if (member.task().history > 0) {
      outcome.expected.begins = outcome.expected.begins_at_the_earliest;
    }
  }
  return outcome;
}

std::string Conductor::how_fast() const {
  const double pauses = static_cast<double>(publisher_.account().paused) / 1e9;
  return fmt::format("{:.2f} s, {:.0f} MB/s", seconds(), static_cast<double>(file_.size()) / 1e6 / seconds()) +
         (pauses > 0 ? fmt::format(" with {:.2f} s of pauses (--pace 0: none)", pauses) : "");
}

Verdict Conductor::verdict() const {
  Verdict verdict{.published = {.messages = publisher_.account().messages, .bytes = publisher_.account().bytes},
                  .how_fast = how_fast()};
  for (const Member* member : {&lossless_, &slow_, &again_, &late_}) {
    verdict.outcomes.push_back(outcome(*member));
  }
  std::vector<std::string> due;  // events that the publisher must have been told
  if (promised_.membership == weir::MembershipView::full) {
    due = {"lossless joined", "slow joined", "slow again joined", "late joined"};
  }
  if (promised_.death_events) {
    due.emplace_back("slow died");
  }
  for (const std::string& event : due) {
    if (std::count(events_.begin(), events_.end(), event) != 1) {
      verdict.broken.push_back(fmt::format("the publisher was not told once: {}", event));
    }
  }
  if (verdict.published.bytes != file_.size()) {
    verdict.broken.push_back(
        fmt::format("the publisher ended after {} of {} bytes", verdict.published.bytes, file_.size()));
  }
  return verdict;
}

weir::Result<Verdict> run(const Cast& cast, const Source& file, const weir::Capabilities& promised) {
  Conductor conductor(cast, file, promised);
  return conductor.play().map([&] { return conductor.verdict(); });
}

}  // namespace

weir::Result<Verdict> conduct(weir::Node& node, const Options& options, const Source& file) {
  const weir::Result<weir::Capabilities> promised = node.capabilities(options.uri);
  if (!promised) {
    return tl::unexpected(promised.error());
  }
  const weir::Result<Measures> measures = measures_for(options.uri, *promised);
  if (!measures) {
    return tl::unexpected(measures.error());
  }
  weir::Result<Verdict> verdict = run(cast_for(options, file.descriptor(), *measures), file, *promised);
  if (verdict) {
    const weir::Result<std::uint32_t> checksum = file.checksum();
    if (!checksum) {
      return tl::unexpected(checksum.error());
    }
    verdict->published.checksum = *checksum;
  }
  return verdict;
}

}  // namespace quickstart
