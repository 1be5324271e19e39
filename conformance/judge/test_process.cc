#include "conformance/judge/test_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "conformance/conformance.h"
#include "conformance/harness/failure.h"
#include "conformance/harness/judgement.h"
#include "conformance/judge/process_tree.h"

namespace weir::conformance {
namespace {

constexpr std::string_view test_flag = "--weir-conformance-test=";
// How much longer than the watchdog in the test the one outside waits.
constexpr std::chrono::seconds longer(20);
// How often memory is looked at.
constexpr std::chrono::milliseconds look(100);

// The signal that asked the judge to end; 0: none did.
volatile std::sig_atomic_t interruption = 0;

// The test has a process group of its own, so a signal from the terminal comes to the judge alone.
void heed_interruptions() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { interruption = signal; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// A directory for the test's sandboxes, its verdict and what it writes.
class Scratch {
 public:
  Scratch() {
    if (mkdtemp(path_.data()) == nullptr) throw_system_failure("making " + path_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t all = 0;
    std::error_code gone;
    for (std::filesystem::recursive_directory_iterator at(path_, gone), end; !gone && at != end; at.increment(gone)) {
      struct stat file {};
      if (lstat(at->path().c_str(), &file) == 0) all += static_cast<std::uint64_t>(file.st_blocks) * 512;
    }
    return all;
  }

 private:
  std::string path_ = "/dev/shm/weir-judge-XXXXXX";
};

// The last lines of what the test wrote.
std::string last_lines(const std::string& path) {
  constexpr std::size_t most = 3000;
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  std::string text = content.str();
  if (text.size() > most) text = "…" + text.substr(text.size() - most);
  return text;
}

// Never returns.
[[noreturn]] void become_test(const std::string& flag, const std::string& seed, const Scratch& scratch,
                              const std::string& output, const TestLimits& limits) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  close(file);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose own memory is beyond any limit
  // Private memory only: shared mappings are sparse, and counted by who watches.
  const rlimit data{limits.memory, limits.memory};
  setrlimit(RLIMIT_DATA, &data);
#endif
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  setenv("WEIR_CONFORMANCE_SANDBOXES", scratch.path().c_str(), 1);
  setenv("TEST_UNDECLARED_OUTPUTS_DIR", scratch.path().c_str(), 1);
  setenv("WEIR_CONFORMANCE_PATIENCE", std::to_string(limits.patience.count()).c_str(), 1);
  setenv("WEIR_CONFORMANCE_BUDGET", std::to_string(limits.budget.count()).c_str(), 1);
  // Those of a test runner around the judge are not for this test.
  for (const char* theirs :
       {"XML_OUTPUT_FILE", "GTEST_OUTPUT", "GTEST_FILTER", "TESTBRIDGE_TEST_ONLY", "TEST_SHARD_STATUS_FILE",
        "TEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS"}) {
    unsetenv(theirs);
  }
  execl("/proc/self/exe", "weir-conformance", flag.c_str(), seed.c_str(), nullptr);
  _exit(127);
}

struct End {
  int status = 0;
  std::string ended_for;  // why it had to be ended; empty if it ended by itself
};

End wait_for_end(pid_t process, const Scratch& scratch, const TestLimits& limits) {
  End end;
  const auto last = std::chrono::steady_clock::now() + limits.patience + longer;
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (descriptor < 0) throw_system_failure("pidfd_open");
  while (true) {
    pollfd polled{descriptor, POLLIN, 0};
    if (poll(&polled, 1, static_cast<int>(look.count())) > 0) break;
    const MemoryInUse in_use = memory_of_tree(process);
    // Files in memory and what is mapped of them are the same bytes; memory without a name is mapped alone.
    const std::uint64_t memory = in_use.own + std::max(in_use.shared, scratch.bytes());
    if (interruption != 0) {
      end.ended_for = fmt::format("was interrupted by signal {}", static_cast<int>(interruption));
    } else if (memory > limits.memory) {
      end.ended_for =
          fmt::format("took {} MiB of memory, above the limit of {} MiB", memory >> 20U, limits.memory >> 20U);
    } else if (std::chrono::steady_clock::now() > last) {
      end.ended_for = fmt::format("did not end within {} s", (limits.patience + longer).count());
    }
    if (!end.ended_for.empty()) {
      kill(-process, SIGKILL);
      kill(process, SIGKILL);
      break;
    }
  }
  close(descriptor);
  while (waitpid(process, &end.status, 0) < 0 && errno == EINTR) {
  }
  return end;
}

std::string describe(const End& end) {
  if (!end.ended_for.empty()) return end.ended_for;
  if (WIFSIGNALED(end.status)) {
    return fmt::format("was ended by signal {} ({})", WTERMSIG(end.status), strsignal(WTERMSIG(end.status)));
  }
  return fmt::format("ended with status {}", WEXITSTATUS(end.status));
}

// What the test wrote of itself.
std::optional<nlohmann::json> read_verdict(const Scratch& scratch) {
  std::ifstream verdicts(scratch.path() + "/verdicts.jsonl");
  std::string line;
  std::string last;
  while (std::getline(verdicts, line)) last = line;
  if (last.empty()) return std::nullopt;
  return nlohmann::json::parse(last, nullptr, false);
}

}  // namespace

TestVerdict run_test(const std::string& test, const TestLimits& limits, const Environment& environment) {
  const std::size_t dot = test.find('.');
  const Judgement* judgement = find_judgement(test.substr(0, dot), test.substr(dot + 1));
  if (judgement == nullptr) throw HarnessFailure("there is no test " + test);
  TestVerdict verdict{
      .test = test, .requirements = judgement->requirements, .verdict = "fail", .reason = {}, .replay = {}};
  heed_interruptions();
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what the test leaves behind comes to us, and is ended
  const Scratch scratch;
  const std::string output = scratch.path() + "/output";
  const std::string flag = std::string(test_flag) + test;
  const std::string seed = fmt::format("--gtest_random_seed={}", limits.seed);
  const auto start = std::chrono::steady_clock::now();
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0) throw_system_failure("fork");
  if (process == 0) {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    become_test(flag, seed, scratch, output, limits);
  }
  const End end = wait_for_end(process, scratch, limits);
  const std::size_t left = end_orphans();
  if (interruption != 0) {
    throw HarnessFailure(fmt::format("interrupted by signal {}", static_cast<int>(interruption)));
  }
  verdict.milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();

  const auto written = read_verdict(scratch);
  const bool ended_well = end.ended_for.empty() && WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0;
  if (written && !written->is_discarded()) {
    verdict.verdict = written->value("verdict", "fail");
    verdict.reason = written->value("reason", "");
  }
  if (!ended_well && (verdict.verdict != "fail" || verdict.reason.empty())) {
    verdict.verdict = "fail";
    verdict.reason = fmt::format("the process of the test {}\n{}", describe(end), last_lines(output));
  } else if (!written) {
    verdict.reason = "the test gave no verdict\n" + last_lines(output);
  }
  if (left > 0 && verdict.verdict == "pass") {
    verdict.verdict = "fail";
    verdict.reason = fmt::format("{} processes were left behind", left);
  }
  return verdict;
}

int test_main(int argc, char** argv) {
  if (argc < 2 || !std::string_view(argv[1]).starts_with(test_flag)) return -1;
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::GTEST_FLAG(filter) = std::string(std::string_view(argv[1]).substr(test_flag.size()));
  ::testing::GTEST_FLAG(color) = "no";
  // Owned by GoogleTest.
  auto* writer = new VerdictWriter(backend_under_test().name);
  verdict_writer() = writer;
  ::testing::UnitTest::GetInstance()->listeners().Append(writer);
  return RUN_ALL_TESTS();
}

}  // namespace weir::conformance
