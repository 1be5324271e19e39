#include "transport/testing/model_run/exploration.h"

#include <functional>
#include <stdexcept>

#include <fmt/format.h>

#include "transport/testing/model_run/choices.h"
#include "transport/testing/model_run/execution_memory.h"
#include "transport/testing/model_run/machine.h"

namespace weir::testing {
namespace {

constexpr std::size_t judges_process = most_processes - 1;

class Exploration {
 public:
  explicit Exploration(const Scenario& scenario, std::size_t each = 1)
      : scenario_(scenario), sample_{.each = each, .remainder = std::hash<std::string>()(scenario.name) % each} {
    forget_words();
    set_up();
  }
  Exploration(const Exploration&) = delete;
  Exploration& operator=(const Exploration&) = delete;
  ~Exploration() { leave_machine(); }

  [[nodiscard]] Report& report() noexcept { return report_; }

  // Every schedule within these bounds. False: there was a violation.
  bool run_all(const Bounds& bounds) {
    while (true) {
      EverySchedule schedules(sample_);
      std::uint64_t look = 64;
      bool has_learnt = false;  // that there are points that it did not stop at: then it begins again
      bool more = true;
      for (std::uint64_t number = 1; more && !has_learnt; ++number) {
        if (!run(bounds, schedules, Stops::where_needed, false)) return false;
        more = schedules.next();
        // Now and then, as looking takes as long as an execution.
        if (more && number < look) continue;
        has_learnt = settle_words();
        look *= 2;
      }
      report_.branches += schedules.branches();
      report_.branches_run += schedules.branches_run();
      if (!has_learnt) return true;
    }
  }

  bool run_random(std::uint64_t seed, std::uint64_t count, std::size_t deviations) {
    const auto most = static_cast<unsigned>(deviations);
    RandomSchedules schedules(seed, deviations);
    for (std::uint64_t number = 0; number < count; ++number) {
      const Bounds bounds{.preemptions = most, .delays = most, .deaths = scenario_.bounds.deaths};
      if (!run(bounds, schedules, Stops::where_needed, false)) return false;
      schedules.next();
      static_cast<void>(settle_words());
    }
    return true;
  }

  bool run(const Bounds& bounds, Choices& choices, Stops stops, bool with_trace) {
    restore_snapshot();
    free_mutexes();
    resume_machine();
    Outcome outcome = run_programs(scenario_.programs, bounds, choices, stops, with_trace);
    if (outcome.violation.empty() && !outcome.cut_short && scenario_.judge) {
      outcome.violation = run_apart(judges_process, scenario_.judge);
    }
    leave_machine();
    end_execution();
    if (!outcome.cut_short) ++report_.schedules;
    report_.points += outcome.points;
    if (outcome.violation.empty()) return true;
    report_.violation = outcome.violation;
    report_.schedule = choices.text();
    return false;
  }

 private:
  void set_up() {
    // Once on the ordinary heap: objects that are made at their first use must outlive the executions.
    begin_execution();
    {
      const OutsideExecution not_inside;
      make_machine();
      free_mutexes();
      static_cast<void>(run_apart(judges_process, scenario_.set_up));
      GivenSchedule ordinary("");
      static_cast<void>(run_programs(scenario_.programs, {}, ordinary, Stops::where_needed, false));
      forget_words();
    }
    begin_execution();
    make_machine();
    free_mutexes();
    const std::string violation = run_apart(judges_process, scenario_.set_up);
    keep_snapshot();
    leave_machine();
    end_execution();
    if (!violation.empty()) throw std::runtime_error(fmt::format("the set-up of {}: {}", scenario_.name, violation));
  }

  const Scenario& scenario_;
  const EverySchedule::Sample sample_;
  Report report_;
};

}  // namespace

Report explore(const Scenario& scenario, std::size_t each) {
  Exploration exploration(scenario, each);
  Bounds bounds = scenario.bounds;
  for (bounds.preemptions = 0; bounds.preemptions <= scenario.bounds.preemptions; ++bounds.preemptions) {
    if (!exploration.run_all(bounds)) return exploration.report();
  }
  if (scenario.random_schedules != 0) exploration.run_random(1, scenario.random_schedules / each, scenario.deviations);
  return exploration.report();
}

Report replay(const Scenario& scenario, std::string_view schedule, bool with_trace) {
  Exploration exploration(scenario);
  GivenSchedule given(schedule);
  constexpr unsigned any = 1000;
  exploration.run({.preemptions = any, .delays = any, .deaths = scenario.bounds.deaths}, given, Stops::everywhere,
                  with_trace);
  if (!given.was_followed()) throw std::runtime_error("the schedule does not fit the scenario");
  return exploration.report();
}

}  // namespace weir::testing
