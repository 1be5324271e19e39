// The same program over ipc:// and over shm://, by turns in one run, as two tables of Markdown: with payloads that the
// application writes and reads, and by the method of libzmq's own performance tools, which do neither.
//
//   bazel run //adapters/zeromq_plugin:benchmark
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/zeromq/test_support.h"

namespace weir::zmq_plugin {
namespace {

using zeromq::testing_support::data_file;
using zeromq::testing_support::Program;
using zeromq::testing_support::ShortDirectory;

constexpr int rounds = 5;

struct Load {
  const char* name;
  const char* size;
  const char* messages;
  const char* round_trips;
};
constexpr std::array<Load, 4> loads{{{"64 B", "64", "1000000", "5000"},
                                     {"4 KiB", "4096", "200000", "5000"},
                                     {"64 KiB", "65536", "20000", "2000"},
                                     {"1 MiB", "1048576", "3000", "1000"}}};

struct Kind {
  const char* title;
  const char* word;
};
constexpr std::array<Kind, 2> kinds{
    {{"payload written and read", "touched"}, {"payload untouched, as libzmq's own perf tools do", "untouched"}}};

// A run that lost or doubled a message is no measurement.
double measure(const ShortDirectory& directory, bool by_shm, const Kind& kind, bool latency, const Load& load) {
  std::vector<std::string> words{"/usr/bin/env"};
  if (by_shm) {
    // The root in memory where it is by default.
    words.push_back("LD_PRELOAD=" + data_file("adapters/zeromq_plugin/libweir_zmq.so"));
  }
  const std::string place = by_shm ? "shm://speed" + directory.path() : directory.ipc("socket");
  words.insert(words.end(), {data_file("adapters/zeromq_plugin/native/speed"), latency ? "latency" : "throughput",
                             kind.word, place, place + "-back", load.size, latency ? load.round_trips : load.messages});
  Program program(words);
  const double result = std::strtod(program.read_line().c_str(), nullptr);
  const std::string failed = program.wait();
  if (result > 0 && failed.empty()) return result;
  fmt::print(stderr, "{}, {} over {}: {}\n", kind.title, load.name, place, failed.empty() ? "no figure" : failed);
  std::exit(1);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void write_row(const ShortDirectory& directory, const Kind& kind, bool latency, const Load& load) {
  std::vector<double> ipc;
  std::vector<double> shm;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    ipc.push_back(measure(directory, false, kind, latency, load));
    shm.push_back(measure(directory, true, kind, latency, load));
    ratios.push_back(latency ? ipc.back() / shm.back() : shm.back() / ipc.back());
  }
  fmt::print("| {}, {} | {:.{}f} | {:.{}f} | {:.1f} |\n", latency ? "one way, µs" : "messages a second", load.name,
             median(ipc), latency ? 1 : 0, median(shm), latency ? 1 : 0, median(ratios));
  std::fflush(stdout);
}

}  // namespace
}  // namespace weir::zmq_plugin

int main() {
  using namespace weir::zmq_plugin;
  const weir::zeromq::testing_support::ShortDirectory directory;
  for (const Kind& kind : kinds) {
    fmt::print("{}:\n\n| median of {} rounds | ipc:// | shm:// | times faster |\n| --- | --- | --- | --- |\n",
               kind.title, rounds);
    for (const bool latency : {false, true}) {
      for (const Load& load : loads) write_row(directory, kind, latency, load);
    }
    fmt::print("\n");
  }
  return 0;
}
