#include "conformance/performance/programs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "conformance/performance/batches.h"
#include "conformance/performance/callgrind.h"
#include "conformance/performance/child.h"
#include "conformance/performance/failure.h"
#include "conformance/performance/peers/directory.h"

namespace weir::performance {
namespace {

namespace fs = std::filesystem;

// A program, and what it can do.
struct Starter {
  std::string file;
  std::string peer;
  Kind kind;
  bool starts = true;     // in two processes
  bool exchanges = true;  // with itself
};

const std::vector<Starter>& starters() {
  static const std::vector<Starter> all = {
      {"start_bare_process", "bare process", Kind::floor, true, false},
      {"start_raw_ring", "raw ring", Kind::floor, false, true},
      {"start_shm_concrete", "shm concrete", Kind::weir},
      {"start_shm", "shm", Kind::weir},
      {"start_libzmq_ipc", "libzmq ipc", Kind::native},
      {"start_iceoryx", "iceoryx", Kind::native},
      {"start_nng_ipc", "nng ipc", Kind::native},
      {"start_boost_queue", "Boost queue", Kind::native, false, true},
  };
  return all;
}

// By a descriptor that children inherit, since the crews of a peer may have other mounts. Empty: it was not built.
std::string path_of(const Starter& starter) {
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed);
  const int program = open((self.parent_path() / starter.file).c_str(), O_RDONLY);  // NOLINT: no O_CLOEXEC
  return program < 0 ? std::string() : fmt::format("/proc/self/fd/{}", program);
}

// A directory in memory, where the crew is.
std::string directory() { return fs::is_directory(socket_directory()) ? socket_directory() : "/tmp"; }

// Another for each call.
std::string fresh_name() {
  static int count = 0;
  return fmt::format("start-{}-{}-", getpid(), ++count);
}

// The later of what the two say: the bare process tells when it runs, others
// when the message came.
double time_start(const std::string& program) {
  const std::string name = fresh_name();
  const double begin = wall_nanoseconds();
  Child receiver({program, "receive", name});
  Child sender({program, "send", name});
  const double received = receiver.number();
  return std::max(received, sender.number()) - begin;
}

// What the files below a directory take of a file system in memory.
double bytes_below(const std::string& directory) {
  double bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    struct stat status {};
    if (lstat(entry.path().c_str(), &status) == 0) {
      bytes += static_cast<double>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

double memory_of_topics(const std::string& program, std::uint64_t count) {
  const double before = bytes_below(directory());
  const std::string name = fresh_name();
  const std::string number = fmt::format("{}", count);
  Child receiver({program, "idle-receive", name, number});
  Child sender({program, "idle-send", name, number});
  const double anonymous = sender.number() + receiver.number();
  return anonymous + bytes_below(directory()) - before;
}

Measurement count_message(const std::string& program) {
  constexpr std::uint64_t few = 4'000;
  constexpr std::uint64_t many = 12'000;
  const auto count = [&](std::uint64_t messages) {
    return must(count_instructions({program, "exchange", fresh_name(), fmt::format("{}", messages)}, directory(),
                                   fmt::format("count-{}-{}", getpid(), messages)));
  };
  return {.figure = cost_of(count(few), count(many), many - few).total};
}

Row row_of(const Starter& starter, std::string load, std::string title, std::string detail, std::string unit,
           std::function<Measurement(Budget)> measure, std::optional<std::size_t> floor) {
  return {.load = std::move(load),
          .title = std::move(title),
          .peer = starter.peer,
          .detail = std::move(detail),
          .unit = std::move(unit),
          .kind = starter.kind,
          .crew =
              [measure = std::move(measure), name = starter.peer](Budget budget) {
                Crew crew{.measure = [measure, budget] { return measure(budget); }, .pinned = false};
                for (const Peer& peer : peers()) {
                  if (peer.name == name && peer.surround) {
                    peer.surround(crew);
                  }
                }
                return crew;
              },
          .floor = floor};
}

}  // namespace

void add_program_rows(std::vector<Row>& rows) {
  std::vector<std::pair<Starter, std::string>> present;
  for (const Starter& starter : starters()) {
    if (std::string path = path_of(starter); !path.empty()) {
      present.emplace_back(starter, std::move(path));
    }
  }
  std::optional<std::size_t> floor;
  for (const auto& [starter, path] : present) {
    if (starter.starts) {
      floor = floor ? floor : rows.size();
      rows.push_back(row_of(
          starter, "start-up", "start of both processes to first message", "64 B", "ns",
          [path = path](Budget budget) {
            return Measurement{.figure = median_within(budget, [&] { return time_start(path); })};
          },
          floor));
    }
  }
  for (const auto& [starter, path] : present) {
    if (starter.starts && starter.kind != Kind::floor) {
      constexpr std::uint64_t more = 100;
      rows.push_back(
          row_of(starter, "memory", "resident memory of an idle topic", "first topic", "bytes",
                 [path = path](Budget /*budget*/) { return Measurement{.figure = memory_of_topics(path, 1)}; }, {}));
      rows.push_back(row_of(starter, "memory", "resident memory of an idle topic", "each more", "bytes",
                            [path = path](Budget /*budget*/) {
                              return Measurement{
                                  .figure = (memory_of_topics(path, 1 + more) - memory_of_topics(path, 1)) / more};
                            },
                            {}));
    }
  }
  floor.reset();
  for (const auto& [starter, path] : present) {
    if (starter.exchanges) {
      floor = floor ? floor : rows.size();
      rows.push_back(row_of(
          starter, "instructions", "instructions of a message", "64 B", "instructions",
          [path = path](Budget /*budget*/) { return count_message(path); }, floor));
      rows.back().most_rounds = 1;
    }
  }
}

}  // namespace weir::performance
