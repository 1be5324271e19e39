// The type of every word that processes share.
//
// It is std::atomic in the product. A test may compile the same sources with WEIR_SHM_WORD set to a class with the same
// interface, which lets a scheduler choose interleavings and deaths.
#pragma once

#include <atomic>

#ifndef WEIR_SHM_WORD
#define WEIR_SHM_WORD std::atomic
#endif

namespace weir::shm {

template <class Value>
using Word = WEIR_SHM_WORD<Value>;

static_assert(std::atomic<unsigned long long>::is_always_lock_free, "a lock inside a word would die with its holder");

}  // namespace weir::shm
