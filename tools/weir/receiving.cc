#include "tools/weir/receiving.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir::tool {

Deadline Listening::deadline() const { return deadline_in(seconds); }

Deadline deadline_in(double seconds) {
  constexpr double longest = 1e9;
  return seconds > 0 ? after(std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(seconds, longest) * 1e9)))
                     : never;
}

std::chrono::steady_clock::time_point moment_of(const Sample& sample, const Capabilities& capabilities) {
  const auto published = capabilities.publish_time ? sample.publish_time() : std::chrono::steady_clock::time_point();
  return published == std::chrono::steady_clock::time_point() ? std::chrono::steady_clock::now() : published;
}

Result<Ending> receive(Session& session, Subscriber& subscriber, Deadline deadline, const Reaction& reaction) {
  Deadline next_tick = reaction.tick ? after(reaction.period) : never;
  while (session.console.is_heard()) {
    const Result<Wake> wake = subscriber.wait(std::min(deadline, next_tick), session.interrupts.token());
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == Wake::interrupted) return Ending::interrupted;
    if (passed(next_tick)) {
      reaction.tick();
      next_tick = after(reaction.period);
    }
    if (passed(deadline)) return Ending::time;
    const Result<Sample> sample = subscriber.take();
    if (!sample) return tl::unexpected(sample.error());
    if (*sample && !reaction.use(*sample)) return Ending::enough;
  }
  return Ending::interrupted;
}

ExitCode judge(Session& session, Ending ending, const Listening& listening, std::uint64_t got) {
  if (ending != Ending::time || got >= listening.count) return ExitCode::done;
  return session.console.error(
      Error(ErrorCode::timed_out, fmt::format("topic \"{}\": {} of {} messages came within {} s: is there a publisher? "
                                              "(weir info shows who is there)",
                                              listening.topic, got, listening.count, listening.seconds)));
}

}  // namespace weir::tool
