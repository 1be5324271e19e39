// The same program over ipc:// and over shm://, by turns in one run, as a table of Markdown.
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
constexpr std::array<Load, 4> loads{{{"64 B", "64", "300000", "5000"},
                                     {"4 KiB", "4096", "100000", "5000"},
                                     {"64 KiB", "65536", "10000", "2000"},
                                     {"1 MiB", "1048576", "1500", "500"}}};

double measure(const ShortDirectory& directory, bool by_shm, const char* what, const char* size, const char* count) {
  std::vector<std::string> words{"/usr/bin/env"};
  if (by_shm) {
    // The root in memory where it is by default.
    words.push_back("LD_PRELOAD=" + data_file("adapters/zeromq_plugin/libweir_zmq.so"));
  }
  const std::string place = by_shm ? "shm://speed" + directory.path() : directory.ipc("socket");
  words.insert(words.end(),
               {data_file("adapters/zeromq_plugin/native/speed"), what, place, place + "-back", size, count});
  Program program(words);
  const double result = std::strtod(program.read_line().c_str(), nullptr);
  static_cast<void>(program.wait());
  return result;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void write_row(const ShortDirectory& directory, const Load& load, bool latency) {
  std::vector<double> ipc;
  std::vector<double> shm;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const char* const what = latency ? "latency" : "throughput";
    const char* const count = latency ? load.round_trips : load.messages;
    ipc.push_back(measure(directory, false, what, load.size, count));
    shm.push_back(measure(directory, true, what, load.size, count));
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
  fmt::print("| median of {} rounds | ipc:// | shm:// | times faster |\n| --- | --- | --- | --- |\n", rounds);
  for (const bool latency : {false, true}) {
    for (const Load& load : loads) write_row(directory, load, latency);
  }
  return 0;
}
