// A RouDi of this process's own: `roudi=spawn`.
//
//   auto roudi = RoudiProcess::start({{.payload = 1024, .count = 100}});
//   …
//   roudi->reset();      // ends it, and removes what it made
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "transport/status.h"

namespace weir::iceoryx {

// A pool of chunks, each for a message of so many bytes, user header included.
struct Pool {
  std::uint64_t payload = 0;
  std::uint64_t count = 0;
};

class RoudiProcess {
 public:
  // Starts one and waits until it answers. Pools must be in order of size; sizes are rounded up to what iceoryx can.
  // Errors: not_found if iox-roudi is not installed; unavailable if it does not come up, as when another runs.
  // `monitors`: whether it takes processes for dead whose keep-alive it misses, as it does by default.
  // `log`: a descriptor that its warnings go to, borrowed until this returns; nowhere if negative.
  [[nodiscard]] static Result<std::unique_ptr<RoudiProcess>> start(const std::vector<Pool>& pools, bool monitors = true,
                                                                   int log = -1);
  RoudiProcess(const RoudiProcess&) = delete;
  RoudiProcess& operator=(const RoudiProcess&) = delete;
  // Ends it by SIGKILL: by SIGTERM it would send SIGTERM to this process too.
  ~RoudiProcess();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  RoudiProcess() = default;
  // Runs on the keeper: starts the child, and waits until it is to end.
  void keep(int configuration, bool monitors, int log);
  [[nodiscard]] bool alive();

  // The child's life hangs on the thread that started it (PR_SET_PDEATHSIG), so that it ends with this process.
  std::thread keeper_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  bool ending_ = false;
  pid_t pid_ = -1;
};

// The configuration file for these pools.
[[nodiscard]] std::string roudi_configuration(const std::vector<Pool>& pools);

}  // namespace weir::iceoryx
