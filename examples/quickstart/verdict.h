// The table at the end.
//
// Thread safety: functions without state.
#pragma once

#include <string>
#include <vector>

#include "examples/quickstart/account.h"

namespace quickstart {

// One subscriber when all is over.
struct Outcome {
  std::string name;
  std::string policy;
  Account account;
  Expectation expected;
  std::string remark;  // "killed at 26 %"
};

// When all is over.
struct Verdict {
  Stream published;
  std::string how_fast;  // for people
  std::vector<Outcome> outcomes = {};
  std::vector<std::string> broken = {};     // promises to others than a subscriber, a sentence each
  std::vector<std::string> leftovers = {};  // things, one each

  // Whether all of it held.
  [[nodiscard]] bool holds() const;
  // The table, with a sentence for each thing that did not hold.
  [[nodiscard]] std::string text() const;
};

}  // namespace quickstart
