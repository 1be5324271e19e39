// Listening to a topic until enough has come, time is up or somebody interrupts: what echo, hz and bw share.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tools/weir/session.h"
#include "transport/deadline.h"
#include "transport/sample.h"
#include "transport/subscriber.h"

namespace weir::tool {

// How long to listen.
struct Listening {
  std::string topic;
  std::uint64_t count = 0;  // messages; 0: no end
  double seconds = 0;       // 0: no end
  bool wait = false;        // for a topic that is not there yet

  [[nodiscard]] Deadline deadline() const;
};

// The deadline so many seconds from now; none for 0.
[[nodiscard]] Deadline deadline_in(double seconds);

// When it was published, where that is known, so that spans are the publisher's; else now. A backend that promises the
// time has publishers that do not say it (publish_time=no), or whose clock is another machine's.
[[nodiscard]] std::chrono::steady_clock::time_point moment_of(const Sample& sample, const Capabilities& capabilities);

// How it ended.
enum class Ending : std::uint8_t {
  enough,       // the count was reached
  time,         // the time was up
  interrupted,  // by a signal, or as nobody reads the results
};

// Takes samples and hands them to `use`, until `use` says false or one of the above. Between them, `tick` is called
// each `period`, if there is one.
struct Reaction {
  std::function<bool(const Sample&)> use;
  std::chrono::nanoseconds period = std::chrono::nanoseconds::max();
  std::function<void()> tick = {};
};
[[nodiscard]] Result<Ending> receive(Session& session, Subscriber& subscriber, Deadline deadline,
                                     const Reaction& reaction);

// The exit code of a command that was to receive `wanted` messages (0: as many as come) and has received `got`: time
// that is up before them is an error, which it says.
[[nodiscard]] ExitCode judge(Session& session, Ending ending, const Listening& listening, std::uint64_t got);

}  // namespace weir::tool
