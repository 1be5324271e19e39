#include "adapters/zeromq_plugin/registry.h"

#include <pthread.h>

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace weir::zmq_plugin {
namespace {

// A hash table that is read without a lock: linear probing, and what is removed leaves a mark. It is replaced by a
// larger one when it would be more than half full with all sides in it; old ones stay for who is reading them.
struct Table {
  struct Entry {
    std::atomic<void*> socket{nullptr};
    std::atomic<Side*> side{nullptr};
  };

  explicit Table(std::size_t size) : entries(size), mask(size - 1) {}

  [[nodiscard]] static std::size_t place_of(void* socket) noexcept {
    return static_cast<std::size_t>(std::bit_cast<std::uintptr_t>(socket) * 0x9E37'79B9'7F4A'7C15U >> 32U);
  }

  std::vector<Entry> entries;
  std::size_t mask;
  std::size_t used = 0;  // with the marks
};

}  // namespace

struct Registry::Content {
  std::mutex mutex;
  std::unordered_map<void*, std::unique_ptr<Side>> sides;
  std::vector<std::unique_ptr<Table>> tables;
  std::atomic<Table*> table{nullptr};

  static void insert_into(Table& table, void* socket, Side* side) noexcept {
    std::size_t place = Table::place_of(socket) & table.mask;
    void* there = table.entries[place].socket.load(std::memory_order_relaxed);
    while (there != nullptr && there != socket) {
      place = (place + 1) & table.mask;
      there = table.entries[place].socket.load(std::memory_order_relaxed);
    }
    table.used += there == nullptr ? 1 : 0;
    table.entries[place].side.store(side, std::memory_order_release);
    table.entries[place].socket.store(socket, std::memory_order_release);
  }

  void insert(void* socket, Side* side) noexcept {
    insert_into(*table.load(std::memory_order_relaxed), socket, side);
    count_.fetch_add(1, std::memory_order_relaxed);
  }

  // Before one more side: that whichever of them comes into the table later finds room.
  void make_room() {
    const Table& current = *table.load(std::memory_order_relaxed);
    if (2 * (current.used + sides.size() + 1) > current.entries.size()) grow();
  }

  void grow() {
    const Table& old = *table.load(std::memory_order_relaxed);
    // First what may find no memory.
    tables.push_back(std::make_unique<Table>(std::bit_ceil(4 * (sides.size() + 16))));
    Table& larger = *tables.back();
    for (const auto& entry : old.entries) {
      if (Side* const side = entry.side.load(std::memory_order_relaxed); side != nullptr) {
        insert_into(larger, entry.socket.load(std::memory_order_relaxed), side);
      }
    }
    table.store(&larger, std::memory_order_release);
  }

  // Null if it is not in the table.
  [[nodiscard]] Table::Entry* entry_of(void* socket) const noexcept {
    Table& current = *table.load(std::memory_order_acquire);
    for (std::size_t place = Table::place_of(socket) & current.mask;; place = (place + 1) & current.mask) {
      Table::Entry& entry = current.entries[place];
      void* const found = entry.socket.load(std::memory_order_acquire);
      if (found == socket) return &entry;
      if (found == nullptr) return nullptr;
    }
  }
};

Registry& Registry::instance() {
  static Registry registry;
  return registry;
}

Registry::Registry() : content_(*new Content) {
  constexpr std::size_t first_size = 64;
  content_.tables.push_back(std::make_unique<Table>(first_size));
  content_.table.store(content_.tables.back().get());
  // No child comes into being while the table is changed.
  static Content& content = content_;
  pthread_atfork([] { content.mutex.lock(); }, [] { content.mutex.unlock(); }, [] { content.mutex.unlock(); });
}

Side* Registry::look_up(void* socket) const noexcept {
  const Table::Entry* const entry = content_.entry_of(socket);
  return entry == nullptr ? nullptr : entry->side.load(std::memory_order_acquire);
}

Side* Registry::side_of(void* socket) {
  const std::lock_guard<std::mutex> lock(content_.mutex);
  const auto found = content_.sides.find(socket);
  return found == content_.sides.end() ? nullptr : found->second.get();
}

void Registry::add(void* context, void* socket, int type) {
  const std::lock_guard<std::mutex> lock(content_.mutex);
  content_.make_room();
  auto made = std::make_unique<Side>(context, socket, type);
  Side& side = *content_.sides.insert_or_assign(socket, std::move(made)).first->second;
  if (side.wants_data_calls()) content_.insert(socket, &side);
}

void Registry::note(void* socket, const Side& side) noexcept {
  if (!side.wants_data_calls()) return;  // whoever once was active stays in the table
  const std::lock_guard<std::mutex> lock(content_.mutex);
  if (look_up(socket) == &side) return;
  content_.insert(socket, const_cast<Side*>(&side));
}

void Registry::remove(void* socket) {
  std::unique_ptr<Side> side;  // ends outside of the lock
  const std::lock_guard<std::mutex> lock(content_.mutex);
  const auto found = content_.sides.find(socket);
  if (found == content_.sides.end()) return;
  Table::Entry* const entry = content_.entry_of(socket);
  if (entry != nullptr && entry->side.exchange(nullptr, std::memory_order_acq_rel) != nullptr) {
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  side = std::move(found->second);
  content_.sides.erase(found);
}

void Registry::end(void* context) {
  const std::lock_guard<std::mutex> lock(content_.mutex);
  for (const auto& [socket, side] : content_.sides) {
    if (side->context() == context) side->end();
  }
}

}  // namespace weir::zmq_plugin
