// Tests that pyzmq's authors wrote, with the tcp:// endpoints of publish and subscribe sockets led to shared memory
// and, to compare, to ipc://.
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"

namespace weir::zmq_plugin {
namespace {

using zeromq::testing_support::data_file;
using zeromq::testing_support::Program;
using zeromq::testing_support::ShortDirectory;

struct Verdicts {
  std::set<std::string> passed;
  std::set<std::string> others;
};

using Files = std::vector<std::string>;

// Runs the files, with tcp:// led to `transport`, and adds what came of them.
void run_files(const std::string& transport, const ShortDirectory& directory, const Files& files, Verdicts& verdicts) {
  std::vector<std::string> words{"/usr/bin/env",
                                 "WEIR_ROOT=" + directory.path("root"),
                                 "TMPDIR=" + directory.path(),
                                 "WEIR_ZMQ_TCP=" + transport,
                                 "LD_PRELOAD=" + data_file("adapters/zeromq_plugin/libweir_zmq.so"),
                                 "/usr/bin/python3",
                                 "-B",
                                 "-m",
                                 "pytest",
                                 "-q",
                                 "-rA",
                                 "-p",
                                 "no:cacheprovider"};
  for (const std::string& file : files) {
    words.push_back("/usr/lib/python3/dist-packages/zmq/tests/test_" + file + ".py");
  }
  Program pytest(words);
  for (std::string line = pytest.read_line(); !line.starts_with("=") || line.find(" in ") == std::string::npos;
       line = pytest.read_line()) {
    const std::size_t name = line.rfind('/');
    if (name == std::string::npos) {
      if (line.find(" passed") != std::string::npos || line.find(" failed") != std::string::npos) break;
      continue;
    }
    if (line.starts_with("PASSED ")) verdicts.passed.insert(line.substr(name + 1));
    if (line.starts_with("FAILED ") || line.starts_with("ERROR ")) verdicts.others.insert(line.substr(name + 1));
  }
  static_cast<void>(pytest.wait());
}

// All the files. They sleep most of the time, so two processes share them.
Verdicts run_all(const std::string& transport, const ShortDirectory& directory) {
  Verdicts verdicts;
  Verdicts others;
  {
    const std::jthread other([&] { run_files(transport, directory, {"message"}, others); });
    run_files(transport, directory, {"pubsub", "poll", "multipart", "monqueue"}, verdicts);
  }
  verdicts.passed.merge(others.passed);
  verdicts.others.merge(others.others);
  return verdicts;
}

TEST(PyzmqsOwnTests, PassOverSharedMemoryWherePassOverIpc) {
  const ShortDirectory by_shm;
  const ShortDirectory by_ipc;
  Verdicts shm;
  std::jthread other([&] { shm = run_all("shm", by_shm); });
  const Verdicts ipc = run_all("ipc", by_ipc);
  other.join();
  // A plug-in that could not be loaded would leave all to libzmq.
  EXPECT_TRUE(std::filesystem::exists(by_shm.path("root"))) << "it went another way";
  EXPECT_FALSE(std::filesystem::exists(by_ipc.path("root"))) << "it went another way";
  EXPECT_GE(ipc.passed.size(), 39U) << "the files hold more than that";
  for (const std::string& name : ipc.passed) EXPECT_TRUE(shm.passed.contains(name)) << name;
  for (const std::string& name : shm.others) EXPECT_TRUE(ipc.others.contains(name)) << name;
}

}  // namespace
}  // namespace weir::zmq_plugin
