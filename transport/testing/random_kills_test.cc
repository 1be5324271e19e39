// A running system of three publishers and five subscribers, half of them durable, any of which is killed at any time
// and started again at once. Every process judges what it sees by what its predecessors noted in memory that outlives
// them.
//
// As many kills as the environment says: WEIR_KILLS=10000.
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "transport/node.h"

namespace weir::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t publishers = 3;
constexpr std::size_t subscribers = 5;
constexpr std::size_t members = publishers + subscribers;
// Far above what anything takes, for a machine with much else to do.
constexpr std::chrono::seconds patience(20);

// What a member's processes leave to their successors.
struct Note {
  std::atomic<PeerId> id{0};               // of a durable publisher
  std::atomic<std::uint64_t> begun{0};     // of a durable publisher: the sequence it was about to publish
  std::atomic<std::uint64_t> accepted{0};  // and one more than the last that was published
  std::array<std::atomic<std::uint64_t>, publishers>
      next{};                                 // of a durable subscriber: what it expects of each durable publisher
  std::atomic<std::uint64_t> turns{0};        // it is alive and at work
  std::atomic<bool> taking{false};            // from before a take until what it returned is noted
  std::atomic<std::uint64_t> died_taking{0};  // processes killed there, each of which may have taken one sample unnoted
  std::atomic<bool> failed{false};
  std::array<char, 400> failure{};
};

struct Board {
  std::atomic<bool> stop{false};
  std::array<Note, members> notes{};
};

struct Member {
  std::string_view name;
  std::string_view options;
  bool durable;
};

constexpr std::string_view publishing = "depth=32&history=16&grant=block&deadline=20s&memory=4MiB";
constexpr std::array<Member, members> cast{{
    {"first", publishing, true},
    {"second", publishing, true},
    {"passing", publishing, false},
    {"archive", "policy=lossless&depth=32", true},
    {"view", "depth=8&held=4", true},
    {"audit", "policy=lossless&depth=16", false},
    {"display", "depth=4&history=4", false},
    {"late", "depth=32&history=16", false},
}};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

template <class Value>
Value must(Result<Value> result) {
  if (!result) fail(result.error().message());
  return std::move(*result);
}

std::byte content(PeerId publisher, std::uint64_t sequence, std::size_t index) {
  return static_cast<std::byte>(publisher + sequence * 131 + index / 16);
}

std::string endpoint(const std::string& root, const Member& member) {
  return fmt::format("shm://topic?root={}&name={}&{}{}", root, member.name, member.options,
                     member.durable ? "&durability=persistent" : "");
}

void publish_on(Board& board, Note& note, const std::string& uri, bool durable) {
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(uri));
  if (durable) {
    note.id = publisher.id();
    const std::uint64_t next = publisher.next_sequence();
    if (next < note.accepted || next > note.begun + 1) {
      fail(fmt::format("goes on at #{}, {} were accepted and #{} was begun", next, note.accepted.load(),
                       note.begun.load()));
    }
  }
  std::mt19937 random(static_cast<unsigned>(getpid()));
  while (!board.stop) {
    const std::size_t size = random() % 8 == 0 ? random() % 40'000 : random() % 300;
    Loan loan = must(publisher.loan(size));
    const std::uint64_t sequence = publisher.next_sequence();
    for (std::size_t index = 0; index < size; ++index) {
      loan.payload()[index] = content(publisher.id(), sequence, index);
    }
    note.begun = sequence;
    must(loan.publish());
    note.accepted = sequence + 1;
    ++note.turns;
  }
}

class Reader {
 public:
  Reader(const Board& board, Note& note, bool durable, bool lossless)
      : board_(board), note_(note), durable_(durable), lossless_(lossless) {}

  void judge(const Sample& sample) {
    const std::uint64_t from = sample.sequence() - sample.lost_before();
    const auto known = next_.find(sample.publisher());
    if (known != next_.end()) {
      if (from != known->second) {
        fail(fmt::format("#{} of {:x} came with {} lost, for #{}", sample.sequence(), sample.publisher(),
                         sample.lost_before(), known->second));
      }
      if (lossless_ && sample.lost_before() != 0) {
        fail(fmt::format("lost {} before #{} of {:x}, though lossless", sample.lost_before(), sample.sequence(),
                         sample.publisher()));
      }
    }
    next_[sample.publisher()] = sample.sequence() + 1;
    for (std::size_t number = 0; durable_ && number < publishers; ++number) {
      if (board_.notes.at(number).id == sample.publisher()) {
        std::atomic<std::uint64_t>& expected = note_.next.at(number);
        if (known == next_.end() && expected != 0 && from < expected) {
          fail(fmt::format("{} again: #{} with {} lost, for #{}", cast.at(number).name, sample.sequence(),
                           sample.lost_before(), expected.load()));
        }
        if (known == next_.end() && expected != 0 && from != expected && note_.died_taking-- == 0) {
          fail(fmt::format("{} resumes at #{} with {} lost, for #{}", cast.at(number).name, sample.sequence(),
                           sample.lost_before(), expected.load()));
        }
        expected = sample.sequence() + 1;
      }
    }
    note_.taking = false;
    for (std::size_t index = 0; index < sample.payload().size(); ++index) {
      if (sample.payload()[index] != content(sample.publisher(), sample.sequence(), index)) {
        fail(fmt::format("#{} of {:x} is torn at byte {}", sample.sequence(), sample.publisher(), index));
      }
    }
  }

 private:
  const Board& board_;
  Note& note_;
  bool durable_;
  bool lossless_;
  std::map<PeerId, std::uint64_t> next_;
};

void subscribe_on(Board& board, Note& note, const std::string& uri, bool durable, bool lossless) {
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(uri));
  if (note.taking.exchange(false)) ++note.died_taking;
  Reader reader(board, note, durable, lossless);
  while (!board.stop) {
    must(subscriber.wait(after(100ms)));
    while (true) {
      note.taking = true;
      const Sample sample = must(subscriber.take());
      if (!sample) break;
      reader.judge(sample);
      ++note.turns;
    }
    note.taking = false;
    ++note.turns;
  }
}

pid_t start(Board& board, const std::string& root, std::size_t number) {
  const pid_t child = fork();
  if (child != 0) return child;
  const Member& member = cast.at(number);
  Note& note = board.notes.at(number);
  try {
    if (number < publishers) {
      publish_on(board, note, endpoint(root, member), member.durable);
    } else {
      const bool lossless = member.options.find("lossless") != std::string_view::npos;
      subscribe_on(board, note, endpoint(root, member), member.durable, lossless);
    }
  } catch (const std::exception& thrown) {
    std::strncpy(note.failure.data(), thrown.what(), note.failure.size() - 1);
    note.failed = true;
  }
  _exit(0);
}

// Waits for nothing: the next kill shall hit others at any point of their work, so every length is as good.
void let_pass(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) sched_yield();
}

// Until every member has done something since.
void let_all_work(Board& board) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::array<std::uint64_t, members> before{};
  std::transform(board.notes.begin(), board.notes.end(), before.begin(),
                 [](const Note& note) { return note.turns.load(); });
  for (std::size_t number = 0; number < members; ++number) {
    const Note& note = board.notes.at(number);
    while (note.turns == before.at(number) && !note.failed) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << cast.at(number).name << " hangs";
      sched_yield();
    }
  }
}

TEST(RandomKills, NothingIsTornRepeatedOrLostUnannouncedAndNobodyHangs) {
  const char* wanted = std::getenv("WEIR_KILLS");
  const std::uint64_t kills = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 2000;
  std::string root = "/dev/shm/weir-storm-XXXXXX";
  ASSERT_NE(mkdtemp(root.data()), nullptr);
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& board = *new (memory) Board();
  std::array<pid_t, members> processes{};
  for (std::size_t number = 0; number < members; ++number) processes.at(number) = start(board, root, number);
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  std::uint64_t done = 0;
  const auto has_failed = [&] {
    return std::any_of(board.notes.begin(), board.notes.end(), [](const Note& note) { return note.failed.load(); });
  };
  while (done < kills && !has_failed() && !HasFatalFailure()) {
    const std::size_t victim = random() % members;
    let_pass(std::chrono::microseconds(random() % 2000));
    ::kill(processes.at(victim), SIGKILL);
    waitpid(processes.at(victim), nullptr, 0);
    processes.at(victim) = start(board, root, victim);
    ++done;
    if (done % 25 == 0) let_all_work(board);
  }
  if (!HasFatalFailure()) let_all_work(board);
  board.stop = true;
  const auto end = std::chrono::steady_clock::now() + patience;
  for (std::size_t number = 0; number < members; ++number) {
    while (waitpid(processes.at(number), nullptr, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << cast.at(number).name << " does not end";
        ::kill(processes.at(number), SIGKILL);
        waitpid(processes.at(number), nullptr, 0);
        break;
      }
      sched_yield();
    }
    if (board.notes.at(number).failed)
      ADD_FAILURE() << cast.at(number).name << ": " << board.notes.at(number).failure.data();
  }
  Node node = must(Node::open());
  const Status removed = node.remove(fmt::format("shm://topic?root={}", root));
  EXPECT_TRUE(removed) << removed.error().message();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    EXPECT_EQ(entry.path(), std::filesystem::path(root) / "v1") << "left behind";
  }
  std::filesystem::remove_all(root);
  std::uint64_t messages = 0;
  std::for_each(board.notes.begin(), board.notes.begin() + publishers,
                [&](const Note& note) { messages += note.accepted; });
  fmt::print("{} kills, seed {}: {} messages of the durable publishers and the last of the other\n", done, seed,
             messages);
  munmap(memory, sizeof(Board));
}

}  // namespace
}  // namespace weir::testing
