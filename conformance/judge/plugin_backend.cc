// For the judge of plug-ins: which one it is comes by the environment, as the processes of the tests and their peers
// are this program too.
#include <stdlib.h>

#include <climits>
#include <cstdio>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/conformance.h"
#include "conformance/harness/failure.h"
#include "conformance/judge/judge.h"
#include "transport/backend.h"
#include "transport/plugin_loader.h"

namespace weir::conformance {
namespace {

constexpr const char* plugin_variable = "WEIR_JUDGE_PLUGIN";
constexpr const char* endpoint_variable = "WEIR_JUDGE_ENDPOINT";
constexpr const char* deviations_variable = "WEIR_JUDGE_DEVIATIONS";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Where the processes of the tests find it too.
std::string absolute(const std::string& path) {
  if (path.empty()) return path;
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) throw HarnessFailure("there is no file " + path + ": give the path of one");
  std::string result = resolved;
  std::free(resolved);
  return result;
}

// Opened anew for each node, as a backend that is linked in: each is a user of its own.
const spi::Registration registration([]() -> std::shared_ptr<spi::Backend> {
  const auto loaded = load_plugin(variable(plugin_variable));
  if (!loaded) throw HarnessFailure(loaded.error().message());
  return *loaded;
});

std::vector<Deviation> read_deviations(const std::string& path) {
  std::vector<Deviation> all;
  if (path.empty()) return all;
  std::ifstream file(path);
  for (const nlohmann::json& each : nlohmann::json::parse(file)) {
    const std::string kind = each.at("kind");
    if (kind != "always" && kind != "may")
      throw HarnessFailure(fmt::format("{}: a kind is \"always\" or \"may\", not {}", path, kind));
    all.push_back({.requirement = each.at("requirement"),
                   .kind = kind == "may" ? Deviation::Kind::may : Deviation::Kind::always,
                   .reason = each.at("reason"),
                   .reference = each.value("reference", ""),
                   .test = each.value("test", "")});
  }
  return all;
}

}  // namespace

bool judges_plugins() { return true; }

Environment environment_of(const JudgeOptions& options) {
  if (options.endpoint.find("{topic}") == std::string::npos) {
    throw HarnessFailure("the endpoint " + options.endpoint + " has no {topic}: write theirs://{topic}");
  }
  return {{plugin_variable, absolute(options.plugin)},
          {endpoint_variable, options.endpoint},
          {deviations_variable, absolute(options.deviations)}};
}

BackendUnderTest backend_under_test() {
  const std::string endpoint = variable(endpoint_variable);
  return {.name = endpoint.substr(0, endpoint.find(':')),
          .endpoint = endpoint,
          .deviations = read_deviations(variable(deviations_variable))};
}

}  // namespace weir::conformance
