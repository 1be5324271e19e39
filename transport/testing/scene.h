// A scene in which a process dies or stops at a point: a root of its own, survivors in this process, a victim in a
// child, and what the survivors must find afterwards.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "transport/node.h"

namespace weir::testing {

// What a victim leaves in memory that outlives it.
struct VictimReport {
  std::uint64_t begun = 0;     // publishes that were called
  std::uint64_t accepted = 0;  // publishes that returned well
  std::uint64_t taken = 0;     // one more than the last sequence that take returned
  std::uint64_t holds = 0;     // one more than the sequence of a sample in hand; 0 for none
  bool leaves = false;         // has begun to
  std::uint64_t victims = 0;   // that had their signal: with two, the numbers are of both together
  std::uint64_t points = 0;    // passed by one that came to its end
  bool finished = false;
  char at[64] = {};        // the point at which it got the signal
  char failure[512] = {};  // what went wrong before
};

class Scene {
 public:
  Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene();

  [[nodiscard]] std::string uri(std::string_view options = "") const;
  [[nodiscard]] Node& node() { return node_; }
  [[nodiscard]] VictimReport& report() { return *report_; }

  // Handles of this process, or the test ends.
  [[nodiscard]] Publisher publisher(std::string_view options);
  [[nodiscard]] Subscriber subscriber(std::string_view options);

  // Runs in a child that is killed at the end of it: what it leaves is there for the victim.
  void past(const std::function<void()>& act) const;

  // Ends all survivors; then nobody shall find anything. True: so it is.
  [[nodiscard]] bool is_clean();

  std::optional<Publisher> out;
  std::optional<Subscriber> in;
  std::uint64_t read = 0;    // what `in` has taken of the victim's stream already
  std::vector<Sample> held;  // in the hands of survivors: nobody may write to them

 private:
  std::string root_;
  Node node_;
  VictimReport* report_;
};

// Fills, checks: the content of a message is told by its sequence.
void publish(Publisher& publisher, std::size_t size, VictimReport* report = nullptr);
// The next sample with its content checked; nothing if there is none.
[[nodiscard]] std::optional<Sample> take(Subscriber& subscriber);
// Throws if a sample is not what its publisher wrote.
void check(const Sample& sample);

// Throws with the error's message unless the result is good.
template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message());
}

struct Scenario {
  std::string name;
  std::function<void(Scene&)> prepare;             // survivors, and what went before
  std::function<void(Scene&)> act;                 // in the victim
  std::function<void(Scene&)> judge;               // by the survivors, after its end
  std::function<void(Scene&)> while_stopped = {};  // by the survivors, while it is stopped; none: it is only killed
  bool again = false;                              // another may do the same after its death, and be judged with it
};

[[nodiscard]] const std::vector<Scenario>& scenarios();

}  // namespace weir::testing
