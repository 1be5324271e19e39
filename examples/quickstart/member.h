// One process of the example, as the conductor sees it.
//
// Thread safety: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "examples/quickstart/account.h"
#include "examples/quickstart/child_process.h"
#include "examples/quickstart/report.h"
#include "examples/quickstart/task.h"
#include "transport/status.h"

namespace quickstart {

class Member {
 public:
  enum class State { absent, joining, receiving, done, killed };

  explicit Member(Task task) : task_(std::move(task)) {}

  // Starts its process. Errors: those of ChildProcess::start.
  weir::Status start();
  // Lets a publisher pass one gate.
  void go() const { process_->go(); }
  // Kills its process, with SIGKILL, and reads what it reported up to then.
  void kill();

  // A descriptor that is readable when receive() has something; -1 if nothing comes any more.
  [[nodiscard]] int reports() const noexcept { return open_ ? process_->reports() : -1; }
  // Reads what it has reported, and enters it. Errors: what made it fail; internal if it ended unasked.
  weir::Status receive();
  // What it was told of others since the last call, a line each.
  [[nodiscard]] std::vector<std::string> take_events() { return std::exchange(events_, {}); }

  [[nodiscard]] const Task& task() const noexcept { return task_; }
  [[nodiscard]] State state() const noexcept { return state_; }
  // It has joined, whatever came then.
  [[nodiscard]] bool has_joined() const noexcept { return state_ > State::joining; }
  [[nodiscard]] bool is_done() const noexcept { return state_ == State::done && !open_; }
  [[nodiscard]] const Account& account() const noexcept { return account_; }
  [[nodiscard]] pid_t pid() const noexcept { return process_ ? process_->pid() : 0; }

 private:
  void enter(Report report);

  Task task_;
  std::optional<ChildProcess> process_;
  ReportReader reader_;
  bool open_ = false;  // reports may still come
  State state_ = State::absent;
  Account account_;
  std::vector<std::string> events_;
  std::optional<std::string> failure_;
};

// The enumerator's name.
[[nodiscard]] std::string_view to_string(Member::State state) noexcept;

}  // namespace quickstart
