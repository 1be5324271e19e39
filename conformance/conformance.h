// How a backend is judged by the suite.
//
// Define this function, and name the file in a transport_conformance_test() (conformance.bzl):
//
//   #include "conformance/conformance.h"
//
//   weir::conformance::BackendUnderTest weir::conformance::backend_under_test() {
//     return {.name = "shm", .endpoint = "shm://{topic}?root={root}"};
//   }
//
// The macro makes one test target for each family of requirements (REQUIREMENTS.md). A test asks for what it needs of
// the backend's Capabilities; what is not promised must be refused with `unsupported` where it can be asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/harness/sandbox.h"

namespace weir::conformance {

// A requirement that the backend is known not to keep.
struct Deviation {
  enum class Kind {
    always,  // an unexpected pass is a failure: the declaration is out of date
    may,     // passes and failures are both accepted
  };
  std::string requirement;  // its id, as "CRASH-4"
  Kind kind = Kind::always;
  std::string reason;          // one sentence
  std::string reference = {};  // where upstream says so, if it does
  std::string test = {};       // the promise (test) concerned; empty for all of the requirement
};

struct BackendUnderTest {
  std::string name;
  // An endpoint of a topic: {topic} is replaced, with {root}, an empty directory of the test's own, and {sandbox}, a
  // word that no other test uses. Options are appended.
  std::string endpoint;
  std::vector<Deviation> deviations = {};
  // Makes what the backend needs in a sandbox, such as a service process; ended by the destruction of what it returns.
  std::function<std::shared_ptr<void>(const Sandbox& sandbox)> prepare = {};
  // Asked when a test has failed and what was prepared is ended: what this machine did to the test that no backend
  // could have helped, in one sentence; empty if nothing. A test that was disturbed is inconclusive.
  std::function<std::string()> disturbance = {};
};

// To be defined by who joins a backend.
[[nodiscard]] BackendUnderTest backend_under_test();

}  // namespace weir::conformance
