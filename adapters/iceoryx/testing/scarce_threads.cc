#include "adapters/iceoryx/testing/scarce_threads.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>

namespace {
std::atomic<bool> scarce{false};
}

weir::iceoryx::ScarceThreads::ScarceThreads() { scarce = true; }
weir::iceoryx::ScarceThreads::~ScarceThreads() { scarce = false; }

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attr, void* (*start_routine)(void*), void* arg) {
  if (scarce) return EAGAIN;
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return create(thread, attr, start_routine, arg);
}
