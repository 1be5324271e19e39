#include "examples/quickstart/verdict.h"

#include <algorithm>

#include <fmt/format.h>

#include "examples/quickstart/display.h"

namespace quickstart {
namespace {

std::string content(const Outcome& outcome) {
  const Account& account = outcome.account;
  std::string text =
      outcome.expected.whole_file
          ? fmt::format("whole file, CRC-32 {:08x}", account.checksum)
          : fmt::format("{} of {} equal", grouped(account.messages - account.different), grouped(account.messages));
  if (outcome.expected.history > 0) {
    text += fmt::format(", {} from history", outcome.expected.history);
  }
  return outcome.remark.empty() ? text : text + ", " + outcome.remark;
}

}  // namespace

bool Verdict::holds() const {
  return broken.empty() && leftovers.empty() && std::all_of(outcomes.begin(), outcomes.end(), [&](const Outcome& one) {
           return broken_promises(one.account, one.expected, published).empty();
         });
}

std::string Verdict::text() const {
  constexpr const char* row = "{:<12} {:<12}{:>10}{:>16}{:>9}  {:<6} {}\n";
  std::string text =
      fmt::format(row, "subscriber", "policy", "messages", "bytes", "lost", "", "compared with the file");
  for (const Outcome& one : outcomes) {
    const auto faults = broken_promises(one.account, one.expected, published);
    text += fmt::format(row, one.name, one.policy, grouped(one.account.messages), grouped(one.account.bytes),
                        grouped(one.account.lost), faults.empty() ? "ok" : "BROKEN", content(one));
    for (const std::string& fault : faults) {
      text += fmt::format("{:<12}   {}\n", "", fault);
    }
  }
  text += fmt::format("published    {} messages, {} bytes, CRC-32 {:08x}, {}\n", grouped(published.messages),
                      grouped(published.bytes), published.checksum, how_fast);
  for (const std::string& fault : broken) {
    text += fmt::format("{:<12} {}\n", "BROKEN", fault);
  }
  if (leftovers.empty()) {
    text += "left behind  nothing: no topic, no file, no process\n";
  }
  for (const std::string& thing : leftovers) {
    text += fmt::format("LEFT BEHIND  {}\n", thing);
  }
  text += holds() ? "All of it held.\n" : "NOT all of it held.\n";
  return text;
}

}  // namespace quickstart
