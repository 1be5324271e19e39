// The other process of `weir bench`: it answers and counts.
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <vector>

#include "tools/weir/bench.h"
#include "tools/weir/commands.h"
#include "tools/weir/sending.h"

namespace weir::tool {

Result<Sample> next_message(Subscriber& subscriber, Deadline deadline, const std::stop_token& stop) {
  while (true) {
    Result<Sample> sample = subscriber.take();
    if (!sample || *sample) return sample;
    const auto wake = subscriber.wait(deadline, stop);
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == Wake::interrupted) return failure(ErrorCode::interrupted, "interrupted");
    if (*wake == Wake::deadline) {
      return failure(ErrorCode::timed_out, "the other process of the measurement has not answered in time");
    }
  }
}

namespace {

Status answer(Session& session, const BenchAnswerOptions& options) {
  Result<Publisher> back = session.node.publisher(options.back);
  if (!back) return tl::unexpected(back.error());
  Result<Subscriber> there = session.node.subscriber(options.there);
  if (!there) return tl::unexpected(there.error());
  const std::stop_token stop = session.interrupts.token();
  if (Status met = back->wait_for_subscribers(1, after(std::chrono::seconds(10)), stop); !met) return met;
  for (std::uint64_t counted = 0;;) {
    const Result<Sample> sample = next_message(*there, never, stop);
    if (!sample) return tl::unexpected(sample.error());
    if (sample->payload().size() < smallest_bench_message) continue;
    switch (static_cast<BenchWord>(sample->payload()[0])) {
      case BenchWord::answer:
        if (Status sent = send_message(session, *back, sample->payload(), {}, never); !sent) return sent;
        break;
      case BenchWord::count:
        ++counted;
        break;
      case BenchWord::tell: {
        std::array<std::byte, smallest_bench_message> reply{static_cast<std::byte>(BenchWord::tell)};
        std::memcpy(&reply[1], &counted, sizeof(counted));
        if (Status sent = send_message(session, *back, reply, {}, never); !sent) return sent;
        counted = 0;
        break;
      }
    }
  }
}

}  // namespace

ExitCode run(Session& session, const BenchAnswerOptions& options) {
  const pid_t parent = getppid();    // also 1, in a container
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // it is of no use alone
  if (getppid() != parent) return ExitCode::failed;
  const Status ended = answer(session, options);
  return ended || ended.error().code() == ErrorCode::interrupted ? ExitCode::done
                                                                 : session.console.error(ended.error());
}

}  // namespace weir::tool
