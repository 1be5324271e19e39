// The kernel as far as the shared-memory transport uses it: files, directories, FIFOs, locks, mappings, epoll sets. In
// memory, so that an execution takes microseconds, every execution begins in the same state, and a process can die
// while its thread lives on.
//
// What it keeps to: open file descriptions and their locks live as long as a descriptor or a mapping refers to them; a
// FIFO hangs up when its last writer is gone; a file without a name can be linked once and is there as long as somebody
// refers to it; rmdir refuses a directory that is not empty, and nothing can be made in one that was removed. Every
// process sees a file at the same address; that it touches only what it has mapped, for writing only what it has mapped
// so, and nothing beyond the file's end, is checked at each access to a word.
//
// Calls return what the kernel's do: a result, or an error number made negative. Each is atomic. The points before them
// are those of machine_calls.cc.
#pragma once

#include <sys/epoll.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "transport/testing/model_run/scheduler.h"

namespace weir::testing {

enum class Use : std::uint8_t { reads, writes };

enum class Kind : std::uint8_t { directory, file, fifo };

struct Description;

struct FileLock {
  const Description* owner;
  bool exclusive;
  long long begin;
  long long end;
};

struct Inode {
  Kind kind = Kind::file;
  std::uint64_t number = 0;
  std::string name;  // the last that it had
  std::uint64_t links = 0;
  std::map<std::string, Inode*> entries;  // of a directory
  std::byte* memory = nullptr;            // of a file: so many pages at most
  std::size_t capacity = 0;
  std::size_t size = 0;
  std::size_t tokens = 0;   // of a FIFO: bytes in it
  std::size_t writers = 0;  // of a FIFO: descriptions that can write
  std::size_t writers_ever = 0;
  std::vector<FileLock> locks;
  std::size_t mapped[most_processes + 1] = {};  // how often, by each process
  std::size_t mapped_writable[most_processes + 1] = {};
};

struct Watched {
  Description* description;
  epoll_event event;
};

// What open() makes. The inode of an epoll set is null.
struct Description {
  Inode* inode = nullptr;
  std::size_t process = nobody;  // that made it
  int flags = 0;
  std::size_t references = 0;
  std::size_t at = 0;              // of a directory: the next entry
  std::size_t writers_before = 0;  // of a FIFO: who was gone before is no hang-up
  std::vector<Watched> watched;    // of an epoll set
};

class Machine {
 public:
  Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() = default;

  static constexpr int first_descriptor = 1 << 24;
  [[nodiscard]] bool has(int descriptor) const { return descriptors_.contains(descriptor); }

  int open_at(int directory, const std::string& path, int flags);
  int close(int descriptor);
  int duplicate(int descriptor);
  int link(int descriptor, int directory, const std::string& name);
  int unlink_at(int directory, const std::string& name, bool is_directory);
  int make_directory(int parent, const std::string& name);
  int make_fifo(int directory, const std::string& name);
  int stat(int descriptor, struct stat& status) const;
  [[nodiscard]] bool is_directory(int descriptor) const;
  int stat_at(int directory, const std::string& name, struct stat& status) const;
  int truncate(int descriptor, std::size_t size);
  int allocate(int descriptor, bool punches, bool keeps_size, std::size_t offset, std::size_t size);
  long read(int descriptor, void* data, std::size_t size, long long offset);  // offset -1: of a FIFO
  long write(int descriptor, const void* data, std::size_t size, long long offset);
  long list(int directory, void* buffer, std::size_t size);
  int rewind(int directory);
  int lock(int descriptor, bool exclusive, long long begin, long long end);
  // Whether another description's lock conflicts.
  int test_lock(int descriptor, bool exclusive, long long begin, long long end, bool& conflicts) const;

  // Null: no such descriptor. A mapping that may not be touched has an address of its own.
  void* map(int descriptor, std::size_t size, bool readable, bool writable);
  // Whether an address is one of those; whether unmapping or closing it ends its description.
  [[nodiscard]] bool is_mapping(const void* address) const;
  [[nodiscard]] bool ends_description(const void* mapping) const;
  [[nodiscard]] bool ends_description(int descriptor) const;
  int unmap(void* address);

  int make_epoll();
  int epoll_add(int epoll, int descriptor, const epoll_event& event);
  int epoll_look(int epoll, epoll_event* events, int most) const;
  // Sleeps until the set shows something; true: time was over.
  bool sleep_on_epoll(int epoll);

  // A process has died: its descriptors that do not hold its life are closed; all else goes.
  void begin_exit(std::size_t process);
  void finish_exit(std::size_t process);

  // A violation unless the running process may.
  void check_access(const void* address, std::size_t size, Use use);
  [[nodiscard]] std::string describe(const void* address) const;
  // Names of files below a directory of the root, "/" for the root itself.
  [[nodiscard]] std::vector<std::string> everything() const;
  [[nodiscard]] std::string name_of(int descriptor) const;

  // Numbers for ids: the same in each execution of one schedule.
  std::uint64_t random_number() noexcept { return 0x0101'0101'0101'0101 * ++random_numbers_; }

 private:
  struct MappingEntry {
    std::byte* address;
    Description* description;
    std::size_t process;
    bool readable;
    bool writable;
  };
  Inode* make_inode(Kind kind);
  int make_descriptor(Description* description);
  Description* find(int descriptor) const;
  // An inode that a name leads to; null if none.
  Inode* look_up(int directory, const std::string& name) const;
  int make_description(Inode* inode, int flags);
  void release(Description* description);
  static void give_memory(Inode& inode, std::size_t capacity);
  static bool is_readable(const Description& description);
  static bool has_hung_up(const Description& description);
  [[nodiscard]] const Inode* owner_of(const void* address) const;
  [[nodiscard]] bool holds_owner_lock(const Inode& inode, std::size_t process) const;
  std::list<MappingEntry>::const_iterator find_mapping(const void* address) const;
  void tell_pollers();

  Inode* root_;
  std::uint64_t inodes_ = 0;
  std::map<int, Description*> descriptors_;
  int next_descriptor_ = first_descriptor;
  std::list<MappingEntry> mappings_;
  std::vector<Inode*> page_owners_;  // by page
  std::uint64_t random_numbers_ = 0;
  std::byte* next_address_;  // of a mapping that may not be touched
};

// The machine of the execution.
[[nodiscard]] Machine& machine() noexcept;
// Whether there is one: calls go to it.
[[nodiscard]] bool is_simulating() noexcept;
void make_machine();
// From here on calls go to the real kernel; machine() is the same again after resume_machine().
void leave_machine() noexcept;
void resume_machine() noexcept;
// Whoever was abandoned while it held the mutex of its process (fork_mutex.h) holds it no more.
void free_mutexes() noexcept;

}  // namespace weir::testing
