#include "transport/testing/scene.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <stdexcept>

#include <fmt/format.h>

namespace weir::testing {
namespace {

std::string fresh_directory() {
  std::string pattern = "/dev/shm/weir-kill-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory in /dev/shm");
  return pattern;
}

VictimReport* shared_report() {
  void* memory = mmap(nullptr, sizeof(VictimReport), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map the victim's report");
  return new (memory) VictimReport();
}

std::byte content(std::uint64_t sequence, std::size_t index) {
  return static_cast<std::byte>(sequence * 31 + index / 64);
}

}  // namespace

Scene::Scene() : root_(fresh_directory()), node_(must(Node::open())), report_(shared_report()) {}

Scene::~Scene() {
  held.clear();
  out.reset();
  in.reset();
  munmap(report_, sizeof(VictimReport));
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string Scene::uri(std::string_view options) const {
  return fmt::format("shm://topic?root={}{}{}", root_, options.empty() ? "" : "&", options);
}

Publisher Scene::publisher(std::string_view options) { return must(node_.publisher(uri(options))); }
Subscriber Scene::subscriber(std::string_view options) { return must(node_.subscriber(uri(options))); }

void Scene::past(const std::function<void()>& act) const {
  const pid_t child = fork();
  if (child == 0) {
    try {
      act();
    } catch (const std::exception& thrown) {
      fmt::print(stderr, "before the victim came: {}\n", thrown.what());
      _exit(1);
    }
    ::raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) throw std::runtime_error("the past did not come about");
}

bool Scene::is_clean() {
  held.clear();
  out.reset();
  in.reset();
  // The next user of the root: its janitor looks at every topic.
  must(node_.publisher(fmt::format("shm://visitor?root={}", root_)));
  const auto entries = std::filesystem::recursive_directory_iterator(root_);
  bool clean = true;
  for (const auto& entry : entries) {
    if (entry.path() != std::filesystem::path(root_) / "v1") {
      ADD_FAILURE() << "left behind: " << entry.path();
      clean = false;
    }
  }
  return clean;
}

void publish(Publisher& publisher, std::size_t size, VictimReport* report) {
  Loan loan = must(publisher.loan(size));
  const std::uint64_t sequence = publisher.next_sequence();
  for (std::size_t index = 0; index < size; ++index) loan.payload()[index] = content(sequence, index);
  if (report != nullptr) ++report->begun;
  const std::uint64_t published = must(loan.publish());
  if (published != sequence) throw std::runtime_error(fmt::format("published #{} as #{}", sequence, published));
  if (report != nullptr) ++report->accepted;
}

void check(const Sample& sample) {
  for (std::size_t index = 0; index < sample.payload().size(); ++index) {
    if (sample.payload()[index] != content(sample.sequence(), index)) {
      throw std::runtime_error(fmt::format("#{} is torn at byte {}", sample.sequence(), index));
    }
  }
}

std::optional<Sample> take(Subscriber& subscriber) {
  Result<Sample> sample = subscriber.take();
  if (!sample) throw std::runtime_error(sample.error().message());
  if (!*sample) return std::nullopt;
  check(*sample);
  return std::move(*sample);
}

}  // namespace weir::testing
