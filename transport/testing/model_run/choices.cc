#include "transport/testing/model_run/choices.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

namespace weir::testing {

std::string text_of(Option option) {
  switch (option.what) {
    case Happens::nothing:
      return "nothing";
    case Happens::go:
      return fmt::format("go{}", option.process);
    case Happens::store_arrives:
      return fmt::format("store{}", option.process);
    case Happens::locks_drop:
      return fmt::format("drop{}", option.process);
    case Happens::time_is_over:
      return fmt::format("time{}", option.process);
    case Happens::delay:
      return "delay";
    case Happens::die:
      return "die";
  }
  return {};
}

Choices::Choices() { made_.reserve(most); }

Option Choices::choose(std::uint64_t step, std::span<const Option> options) {
  if (options.size() == 1 || exhausted()) return options.front();
  const std::size_t number = decide(made_.size(), step, options);
  made_.push_back({.step = step, .options = options.size(), .number = number, .chosen = options[number]});
  return options[number];
}

std::string Choices::text() const {
  std::string text;
  for (const Decision& decision : made_) {
    if (decision.number != 0) {
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", decision.step, text_of(decision.chosen));
    }
  }
  return text;
}

EverySchedule::EverySchedule(Sample sample) : sample_(sample) { prefix_.reserve(made().capacity()); }

bool EverySchedule::next() {
  prefix_.assign(made().begin(), made().end());
  forget();
  do {
    while (!prefix_.empty() && prefix_.back().number + 1 == prefix_.back().options) prefix_.pop_back();
    if (prefix_.empty()) return false;
    ++prefix_.back().number;
  } while (is_left_out());
  return true;
}

bool EverySchedule::is_left_out() {
  const auto unusual =
      std::count_if(prefix_.begin(), prefix_.end(), [](const Decision& decision) { return decision.number != 0; });
  if (unusual != 2) return false;
  const bool is_in_sample = branches_++ % sample_.each == sample_.remainder;
  branches_run_ += is_in_sample ? 1 : 0;
  return !is_in_sample;
}

std::size_t EverySchedule::decide(std::size_t decision, std::uint64_t step, std::span<const Option> options) {
  if (decision >= prefix_.size()) return 0;
  const Decision& before = prefix_[decision];
  if (before.options != options.size() || before.step != step) {
    std::fprintf(stderr, "decision %zu was met at step %zu with %zu options, and at step %zu with %zu: %s\n", decision,
                 static_cast<std::size_t>(before.step), before.options, static_cast<std::size_t>(step), options.size(),
                 "the execution depends on more than its schedule");
    std::abort();
  }
  return before.number;
}

RandomSchedules::RandomSchedules(std::uint64_t seed, std::size_t deviations) : random_(seed), places_(deviations) {}

void RandomSchedules::next() {
  longest_ = std::max(longest_, made().size());
  forget();
  std::uniform_int_distribution<std::size_t> anywhere(0, longest_);
  std::generate(places_.begin(), places_.end(), [&] { return anywhere(random_); });
  std::sort(places_.begin(), places_.end());
}

std::size_t RandomSchedules::decide(std::size_t decision, std::uint64_t /*step*/, std::span<const Option> options) {
  if (!std::binary_search(places_.begin(), places_.end(), decision)) return 0;
  return std::uniform_int_distribution<std::size_t>(1, options.size() - 1)(random_);
}

GivenSchedule::GivenSchedule(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::uint64_t step = 0;
  char colon = 0;
  std::string option;
  while (words >> step >> colon >> option) wanted_.emplace_back(step, option);
}

std::size_t GivenSchedule::decide(std::size_t /*decision*/, std::uint64_t step, std::span<const Option> options) {
  if (next_ == wanted_.size() || wanted_[next_].first != step) return 0;
  for (std::size_t number = 0; number < options.size(); ++number) {
    if (text_of(options[number]) == wanted_[next_].second) {
      ++next_;
      return number;
    }
  }
  return 0;
}

}  // namespace weir::testing
