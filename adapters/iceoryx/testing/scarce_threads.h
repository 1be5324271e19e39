// Lets a test's process have no more threads, as a limit on them would (pids.max).
#pragma once

namespace weir::iceoryx {

// As long as one of these lives, no thread can be started in this process.
class ScarceThreads {
 public:
  ScarceThreads();
  ScarceThreads(const ScarceThreads&) = delete;
  ScarceThreads& operator=(const ScarceThreads&) = delete;
  ~ScarceThreads();
};

}  // namespace weir::iceoryx
