#include "examples/quickstart/member.h"

#include <fmt/format.h>

namespace quickstart {

weir::Status Member::start() {
  return ChildProcess::start(task_).map([this](ChildProcess&& process) {
    process_.emplace(std::move(process));
    state_ = State::joining;
    open_ = true;
  });
}

void Member::kill() {
  process_->kill();
  while (reader_.read_from(process_->reports())) {
  }
  while (auto report = reader_.next()) {
    enter(std::move(*report));
  }
  process_->reap();
  open_ = false;
  state_ = State::killed;
}

weir::Status Member::receive() {
  open_ = reader_.read_from(process_->reports());
  while (auto report = reader_.next()) {
    enter(std::move(*report));
  }
  if (open_) {
    return {};
  }
  const bool well = process_->reap();
  if (failure_) {
    return weir::failure(weir::ErrorCode::internal,
                         fmt::format("the process \"{}\" failed: {}", task_.name, *failure_));
  }
  if (!well || state_ != State::done) {
    return weir::failure(weir::ErrorCode::internal,
                         fmt::format("the process \"{}\" {} before it was done", task_.name, process_->how_it_ended()));
  }
  return {};
}

void Member::enter(Report report) {
  switch (report.kind) {
    case Report::Kind::joined:
      state_ = State::receiving;
      break;
    case Report::Kind::progress:
      account_ = report.account;
      break;
    case Report::Kind::done:
      account_ = report.account;
      state_ = State::done;
      break;
    case Report::Kind::event:
      events_.push_back(std::move(report.text));
      break;
    case Report::Kind::failed:
      failure_ = std::move(report.text);
      break;
  }
}

std::string_view to_string(Member::State state) noexcept {
  switch (state) {
    case Member::State::absent:
      return "absent";
    case Member::State::joining:
      return "joining";
    case Member::State::receiving:
      return "receiving";
    case Member::State::done:
      return "done";
    case Member::State::killed:
      return "killed";
  }
  return "";
}

}  // namespace quickstart
