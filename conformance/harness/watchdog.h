// Ends a test that hangs: the one place where the suite looks at the time.
//
// At the end of its patience it writes a report and ends the peers, which fails whatever the test was waiting for. If
// the test does not come to its end even so, the process is ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace weir::conformance {

class Watchdog {
 public:
  struct Actions {
    std::function<void()> end_peers;    // with a report
    std::function<void()> end_process;  // must not return
  };

  // Both actions run on the watchdog's thread.
  Watchdog(std::chrono::milliseconds patience, std::chrono::milliseconds grace, Actions actions);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  // The test has come to its end.
  ~Watchdog();

  [[nodiscard]] bool expired() const;

 private:
  void watch(std::chrono::milliseconds patience, std::chrono::milliseconds grace);

  Actions actions_;
  mutable std::mutex lock_;
  std::condition_variable changed_;
  bool over_ = false;
  bool expired_ = false;
  std::thread thread_;
};

}  // namespace weir::conformance
