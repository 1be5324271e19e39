// doctor, bridge and bench, as a person runs them.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Doctor : public ::testing::Test {
 protected:
  // Its finding on a subject; null if it has none.
  static Json finding(const std::string& subject) {
    const Json document = Json::parse(run({"doctor", "--json"}).output);
    for (const Json& found : document["findings"]) {
      if (found["subject"] == subject) return found;
    }
    return {};
  }

  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
};

TEST_F(Doctor, SaysOneLineForEachFinding) {
  auto publisher = node_.publisher("shm://camera").value();
  const Outcome text = run({"doctor"});
  const Json document = Json::parse(run({"doctor", "--json"}).output);
  EXPECT_GE(document["findings"].size(), 15U);
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.output.begin(), text.output.end(), '\n')),
            document["findings"].size());
  for (const Json& found : document["findings"]) {
    EXPECT_THAT(text.output, HasSubstr(found["subject"].get<std::string>()));
    EXPECT_TRUE(found["state"] == "ok" || found["state"] == "warning" || found["state"] == "problem") << found;
    EXPECT_TRUE(found["state"] != "problem" || !found["remedy"].get<std::string>().empty()) << found;
  }
  EXPECT_EQ(finding("topics")["state"], "ok");
}

TEST_F(Doctor, FindsWhatDeadProcessesLeftAndNamesTheRemedy) {
  auto subscriber = node_.subscriber("shm://camera").value();
  Program victim({"pub", "camera", "--wait-for", "2"});
  ASSERT_TRUE(victim.notes("waiting for 2 subscribers"));
  victim.signal(SIGKILL);
  victim.end();
  EXPECT_EQ(finding("topics")["state"], "warning");
  EXPECT_EQ(finding("topics")["remedy"], "weir clean");
  ASSERT_EQ(run({"clean"}).status, 0);
  EXPECT_EQ(finding("topics")["state"], "ok");
}

TEST_F(Doctor, TopicThatCannotBeReadIsAProblem) {
  auto publisher = node_.publisher("shm://camera").value();
  std::filesystem::resize_file(root_.path() + "/v1/camera/topic", 8);
  const Outcome outcome = run({"doctor"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("problem topics"));
}

TEST_F(Doctor, RootThatIsNotThereIsAProblem) {
  const Outcome outcome = run({"doctor", "shm://?root=" + root_.path() + "/elsewhere"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("/elsewhere is not there"));
}

TEST_F(Doctor, ProcessOfAnotherVersionIsFound) {
  auto publisher = node_.publisher("shm://camera").value();
  std::filesystem::create_directories(root_.path() + "/v7/camera");
  EXPECT_EQ(finding("other versions")["state"], "ok") << "nobody uses them";
  // Whoever has a file of that version mapped uses it: this process.
  const std::string segment = root_.path() + "/v7/camera/segment";
  std::ofstream(segment) << "a segment";
  const int descriptor = open(segment.c_str(), O_RDONLY | O_CLOEXEC);
  void* const mapped = mmap(nullptr, 1, PROT_READ, MAP_SHARED, descriptor, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const Json found = finding("other versions");
  munmap(mapped, 1);
  close(descriptor);
  EXPECT_EQ(found["state"], "warning");
  EXPECT_THAT(found["found"].get<std::string>(), HasSubstr(std::to_string(getpid())));
  EXPECT_EQ(finding("other versions")["state"], "ok");
}

TEST_F(Doctor, LimitsThatAreLowAreWarningsWithTheCommandThatRaisesThem) {
  const Outcome outcome = [] {
    Program shell({"-c", "ulimit -n 512; ulimit -f 1000; exec tools/weir/weir doctor --json"}, {}, "sh");
    const int status = shell.end();
    return Outcome{.status = status, .output = shell.output(), .errors = shell.errors()};
  }();
  const Json document = Json::parse(outcome.output);
  for (const Json& found : document["findings"]) {
    if (found["subject"] == "descriptors") {
      EXPECT_EQ(found["state"], "warning");
      EXPECT_THAT(found["remedy"].get<std::string>(), HasSubstr("ulimit -n"));
    }
    if (found["subject"] == "file sizes") {
      EXPECT_EQ(found["state"], "warning");
      EXPECT_EQ(found["remedy"], "ulimit -f unlimited");
    }
  }
}

TEST_F(Doctor, SmallAndFullFileSystemsAreFound) {
  const std::string script = R"(
    mount -t tmpfs -o size=1m none "$1" || exit 77
    tools/weir/weir doctor --json "shm://?root=$1"
    head -c 1030000 /dev/zero > "$1/glutton"
    tools/weir/weir doctor "shm://?root=$1"
    echo "code $?")";
  const std::string disk = root_.path() + "/disk";
  std::filesystem::create_directory(disk);
  Program shell({"--mount", "sh", "-c", script, "sh", disk}, {}, "unshare");
  ASSERT_EQ(shell.end(), 0) << shell.errors();
  EXPECT_THAT(shell.output(), HasSubstr("as little as a container has by default"));
  EXPECT_THAT(shell.output(), HasSubstr("loans will fail"));
  EXPECT_THAT(shell.output(), HasSubstr("remount,size="));
  EXPECT_THAT(shell.output(), HasSubstr("code 1"));
}

// In mounts of its own, as a user's default root has a fixed place.
TEST_F(Doctor, RootThatOthersMayWriteIsAProblemAsEveryJoinIsRefused) {
  const std::string script = R"(
    mount -t tmpfs -o size=16m none /dev/shm || exit 77
    unset WEIR_ROOT
    mkdir -m 700 /dev/shm/weir-$(id -u); mkdir -m 777 /dev/shm/weir-$(id -u)/v1; chmod 777 /dev/shm/weir-$(id -u)/v1
    tools/weir/weir doctor; echo "doctor $?"
    tools/weir/weir pub camera message; echo "pub $?"
    chmod 700 /dev/shm/weir-$(id -u)/v1
    tools/weir/weir doctor | grep permissions)";
  Program shell({"--mount", "sh", "-c", script}, {}, "unshare");
  ASSERT_EQ(shell.end(), 0) << shell.errors();
  EXPECT_THAT(shell.output(), HasSubstr("problem permissions"));
  EXPECT_THAT(shell.output(), HasSubstr("doctor 1\n"));
  EXPECT_THAT(shell.output(), HasSubstr("pub 5\n"));
  EXPECT_THAT(shell.output(), HasSubstr("ok      permissions"));
}

TEST_F(Doctor, MountPointIsNamedWhereMoreRoomIsNeededAndTmpfsWithoutALimitHasEnough) {
  const std::string script = R"(
    mount -t tmpfs -o size=1m none "$1" || exit 77
    mkdir -p "$1/deep/root"
    tools/weir/weir doctor "shm://?root=$1/deep/root" | grep 'shared memory'
    mount -o remount,size=0 "$1"
    tools/weir/weir doctor "shm://?root=$1/deep/root" | grep 'shared memory')";
  const std::string disk = root_.path() + "/disk";
  std::filesystem::create_directory(disk);
  Program shell({"--mount", "sh", "-c", script, "sh", disk}, {}, "unshare");
  ASSERT_EQ(shell.end(), 0) << shell.errors();
  EXPECT_THAT(shell.output(), HasSubstr("remount,size=1g " + disk + "\n"));
  EXPECT_THAT(shell.output(), HasSubstr("ok      shared memory  no limit"));
}

class Bridging : public Doctor {};

TEST_F(Bridging, CarriesFromOneBackendToAnotherAndSaysHowMuch) {
  const std::string feed = "zmq+ipc://" + root_.path() + "/feed";
  auto publisher = node_.publisher("shm://camera").value();
  Program bridge({"bridge", "camera", feed, "--json"});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  auto subscriber = node_.subscriber(feed).value();
  const std::string text = "over the bridge";
  // What is sent before ZeroMQ has met its subscriber is lost, as ever.
  std::size_t got = 0;
  while (got == 0) {
    ASSERT_TRUE(publisher.send(std::as_bytes(std::span(text))));
    ASSERT_TRUE(subscriber.wait(after(std::chrono::milliseconds(10))));
    const auto sample = subscriber.take().value();
    if (sample) got = sample.payload().size();
  }
  EXPECT_EQ(got, text.size());
  bridge.signal(SIGINT);
  EXPECT_EQ(bridge.end(), 0) << bridge.errors();
  const Json total = Json::parse(bridge.output());
  EXPECT_EQ(total["total"], true);
  EXPECT_GE(total["routes"][0]["carried"], 1);
  EXPECT_EQ(total["routes"][0]["from"], "shm://camera");
}

TEST_F(Bridging, WrongRoutesAreRefused) {
  EXPECT_EQ(run({"bridge"}).status, 2);
  EXPECT_EQ(run({"bridge", "camera"}).status, 2);
  const Outcome circle = run({"bridge", "camera", "camera"});
  EXPECT_EQ(circle.status, 2);
  EXPECT_THAT(circle.errors, HasSubstr("camera"));
  EXPECT_EQ(run({"bridge", "zmq+ipc:///tmp/a*", "b*"}).status, 4);
}

class Benching : public Doctor {};

TEST_F(Benching, MeasuresLatencyAndThroughputAndLeavesNothing) {
  for (const char* backend : {"shm", "zmq+ipc"}) {
    const Outcome outcome = run({"bench", backend, "--time", "0.1", "--json"});
    ASSERT_EQ(outcome.status, 0) << outcome.errors;
    std::istringstream lines(outcome.output);
    std::vector<Json> results;
    for (std::string line; std::getline(lines, line);) results.push_back(Json::parse(line));
    ASSERT_EQ(results.size(), 4U) << backend;
    for (const Json& result : results) {
      if (result["measured"] == "one_way") {
        EXPECT_GT(result["p50_ns"], 0);
        EXPECT_GE(result["p99_ns"], result["p50_ns"]);
        EXPECT_GE(result["longest_ns"], result["p99_ns"]);
      } else {
        EXPECT_GT(result["messages"], 0) << backend;
        EXPECT_EQ(result["lost"], 0) << backend;
      }
    }
  }
  EXPECT_THAT(run({"list"}).errors, HasSubstr("no topics"));
}

// Whose number is 1, which elsewhere is that of who adopts orphans.
TEST_F(Benching, MeasuresAsTheFirstProcessOfAContainer) {
  Program bench({"--pid", "--fork", "tools/weir/weir", "bench", "shm", "--time", "0.1"}, {}, "unshare");
  EXPECT_EQ(bench.end(), 0) << bench.errors();
  EXPECT_THAT(bench.output(), HasSubstr("stream:"));
}

TEST_F(Benching, BackendsOnWhichItMakesNoTopicsAreRefused) {
  EXPECT_EQ(run({"bench", "zmq+tcp"}).status, 4);
  EXPECT_EQ(run({"bench", "nonsense"}).status, 3);
}

}  // namespace
}  // namespace weir::tool::testing
