// weir doctor: whether this machine and this user have what weir needs; what is wrong, and the command that mends it.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/finding.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

std::string_view to_string(State state) {
  switch (state) {
    case State::ok:
      return "ok";
    case State::warning:
      return "warning";
    case State::problem:
      break;
  }
  return "problem";
}

Colour colour_of(State state) {
  return state == State::ok ? Colour::green : state == State::warning ? Colour::yellow : Colour::red;
}

void print(Console& console, const Finding& finding) {
  const std::string state = console.coloured(fmt::format("{:<7}", to_string(finding.state)), colour_of(finding.state));
  const std::string remedy = finding.remedy.empty() ? std::string() : fmt::format("  ->  {}", finding.remedy);
  console.line(fmt::format("{} {:<14} {}{}", state, finding.subject, printable(finding.found), printable(remedy)));
}

}  // namespace

ExitCode run(Session& session, const DoctorOptions& options) {
  const Result<Endpoint> backend = backend_of(options.backend);
  if (!backend) return session.console.error(backend.error());
  if (backend->scheme != "shm") {
    return session.console.error(
        Error(ErrorCode::unsupported, fmt::format("weir doctor examines a root of shm://, not {}: what it says about "
                                                  "RouDi and libzmq needs no argument",
                                                  backend->text())));
  }
  const Result<std::string> root = root_of(*backend);
  if (!root) return session.console.error(root.error());
  std::vector<Finding> findings = findings_of_machine();
  for (Finding& finding : findings_of_root(*backend, *root)) findings.push_back(std::move(finding));
  bool is_well = true;
  Json json{{"well", true}, {"root", *root}, {"findings", Json::array()}};
  for (const Finding& finding : findings) {
    is_well = is_well && finding.state != State::problem;
    json["findings"].push_back({{"subject", finding.subject},
                                {"state", to_string(finding.state)},
                                {"found", finding.found},
                                {"remedy", finding.remedy}});
    if (!session.console.json()) print(session.console, finding);
  }
  json["well"] = is_well;
  if (session.console.json()) session.console.document(json);
  return is_well ? ExitCode::done : ExitCode::failed;
}

}  // namespace weir::tool
