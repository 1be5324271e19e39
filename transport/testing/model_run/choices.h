// Where the schedule of an execution comes from: each decision of the scheduler is a choice among a few options, of
// which the first is that nothing out of the ordinary happens. An execution is told by its choices alone.
//
// Written down, a schedule names the decisions that were out of the ordinary, each by the number of the step at which
// it was made (of all processes together) and what was chosen: "17:go1 42:delay 80:die". See text_of().
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::testing {

enum class Happens : std::uint8_t {
  nothing,        // the running process goes on
  go,             // to another process
  store_arrives,  // of another process: it waited in the store buffer
  locks_drop,     // of a process that died
  time_is_over,   // for a process that sleeps
  delay,          // the store of the running process waits in the store buffer
  die,            // the running process
};
struct Option {
  Happens what = Happens::nothing;
  std::size_t process = 0;
  friend bool operator==(const Option&, const Option&) = default;
};

// "go1", "store1", "drop1", "time1", "delay", "die".
[[nodiscard]] std::string text_of(Option option);

class Choices {
 public:
  Choices();
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;
  virtual ~Choices() = default;

  // Called by the scheduler at that step. One of the options, of which there is at least one.
  [[nodiscard]] Option choose(std::uint64_t step, std::span<const Option> options);
  // Whether so many decisions were made that the execution does not seem to end.
  [[nodiscard]] bool exhausted() const noexcept { return made_.size() == most; }

  // The decisions of the execution that ends, or has ended.
  [[nodiscard]] std::string text() const;

 protected:
  struct Decision {
    std::uint64_t step;
    std::size_t options;
    std::size_t number;  // of the chosen one
    Option chosen;
  };
  // The number of the chosen option, at the decision with that number.
  virtual std::size_t decide(std::size_t decision, std::uint64_t step, std::span<const Option> options) = 0;
  void forget() noexcept { made_.clear(); }
  [[nodiscard]] const std::vector<Decision>& made() const noexcept { return made_; }

 private:
  static constexpr std::size_t most = 50'000;
  std::vector<Decision> made_;  // never grows beyond what is reserved: executions have a heap of their own
};

// All schedules, one after the other: the last decision that has an option left takes its next.
//
// Or a sample: all with at most one decision out of the ordinary. Those with more are in branches, each of which begins
// with two such decisions, and of these each so manieth is run, as a whole.
class EverySchedule final : public Choices {
 public:
  // Which branches: those whose number leaves this remainder. {1, 0}: all.
  struct Sample {
    std::size_t each = 1;
    std::size_t remainder = 0;
  };
  explicit EverySchedule(Sample sample);
  // Goes on to the next schedule. False: that was the last.
  [[nodiscard]] bool next();

  [[nodiscard]] std::size_t branches() const noexcept { return branches_; }
  [[nodiscard]] std::size_t branches_run() const noexcept { return branches_run_; }

 private:
  std::size_t decide(std::size_t decision, std::uint64_t step, std::span<const Option> options) override;
  // Whether the next schedule, which begins with the prefix, begins a branch that is not in the sample.
  [[nodiscard]] bool is_left_out();

  Sample sample_;
  std::vector<Decision> prefix_;
  std::size_t branches_ = 0;
  std::size_t branches_run_ = 0;
};

// Schedules with a few decisions out of the ordinary, at random places (after Burckhardt et al., ASPLOS 2010).
class RandomSchedules final : public Choices {
 public:
  RandomSchedules(std::uint64_t seed, std::size_t deviations);
  void next();

 private:
  std::size_t decide(std::size_t decision, std::uint64_t step, std::span<const Option> options) override;
  std::mt19937_64 random_;
  std::vector<std::size_t> places_;  // sorted
  std::size_t longest_ = 1;
};

// One schedule, as text() writes it.
class GivenSchedule final : public Choices {
 public:
  explicit GivenSchedule(std::string_view text);
  // Whether every decision that the text names was made.
  [[nodiscard]] bool was_followed() const noexcept { return next_ == wanted_.size(); }

 private:
  std::size_t decide(std::size_t decision, std::uint64_t step, std::span<const Option> options) override;
  std::vector<std::pair<std::uint64_t, std::string>> wanted_;
  std::size_t next_ = 0;
};

}  // namespace weir::testing
