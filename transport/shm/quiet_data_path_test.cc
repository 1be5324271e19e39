// After join and warm-up the data path neither allocates nor enters the kernel, as long as nobody sleeps.
//
// The loop runs in a child under a seccomp filter that lets it do nothing but exit, and that notes what it tried; the
// allocator of this program counts.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace {

std::atomic<std::uint64_t> allocations{0};  // NOLINT: the allocator has no other place

}  // namespace

// The allocator of glibc, counted. operator new goes through malloc.
extern "C" {
// NOLINTBEGIN: names and signatures are the library's
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void* malloc(std::size_t size) noexcept {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  ++allocations;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++allocations;
  return __libc_memalign(alignment, size);
}
// NOLINTEND
}

namespace weir::shm::testing {
namespace {

// What a confined child leaves behind, in memory that it shares with the test.
struct Findings {
  std::atomic<std::uint64_t> allocations{0};
  std::atomic<long> system_call{-1};  // the first forbidden one
  std::atomic<bool> intact{true};     // every sample was what was published
  std::atomic<bool> done{false};
  // How far the two loops of a pair of processes have come.
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::uint64_t> taken{0};
};

class SharedFindings {
 public:
  SharedFindings()
      : findings_(new(mmap(nullptr, sizeof(Findings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                      Findings) {}
  ~SharedFindings() { munmap(findings_, sizeof(Findings)); }
  SharedFindings(const SharedFindings&) = delete;
  SharedFindings& operator=(const SharedFindings&) = delete;
  Findings& operator*() const noexcept { return *findings_; }
  Findings* operator->() const noexcept { return findings_; }

 private:
  Findings* findings_;
};

Findings* noted = nullptr;  // NOLINT: a signal handler has nothing else to go by

void note_system_call(int /*signal*/, siginfo_t* info, void* /*context*/) {
  noted->system_call = info->si_syscall;
  syscall(SYS_exit_group, 1);
}

// From here on this process can only exit, and yield, which the loops below do between their turns. False where the
// machine has no filters.
bool confine(Findings& findings) {
  noted = &findings;
  struct sigaction handler {};
  handler.sa_sigaction = note_system_call;
  handler.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &handler, nullptr);
  std::array<sock_filter, 5> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Runs `loop` confined, and ends the process.
template <class Loop>
[[noreturn]] void run_confined(Findings& findings, Loop&& loop) {
  if (!confine(findings)) {
    static_cast<void>(!write(STDERR_FILENO, "INCONCLUSIVE: seccomp filters are forbidden here\n", 49));
    _exit(1);
  }
  const std::uint64_t before = allocations;
  const bool intact = loop();
  findings.allocations += allocations - before;
  findings.intact = findings.intact && intact;
  findings.done = true;
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

void judge(const Findings& findings) {
  EXPECT_EQ(findings.system_call, -1) << "this system call was made on the data path";
  EXPECT_TRUE(findings.done) << "the loop did not come to its end";
  EXPECT_TRUE(findings.intact);
  EXPECT_EQ(findings.allocations, 0U);
}

struct Load {
  std::string name;
  std::string publisher;   // options
  std::string subscriber;  // options
  std::size_t size;
  std::size_t header_size;
  std::uint64_t batch;  // samples between two takings
};

class QuietDataPath : public ::testing::TestWithParam<Load> {};

bool publish_batch(Publisher& publisher, const Load& load, std::uint64_t& seed) {
  for (std::uint64_t count = 0; count < load.batch; ++count) {
    Result<Loan> loan = publisher.loan(load.size, load.header_size);
    if (!loan) {
      return false;
    }
    fill(loan->payload().first(std::min<std::size_t>(load.size, cache_line)), seed++);
    if (!loan->publish()) {
      return false;
    }
  }
  return true;
}

bool take_batch(Subscriber& subscriber, const Load& load, std::uint64_t& seed) {
  for (std::uint64_t count = 0; count < load.batch; ++count) {
    const Result<Sample> sample = subscriber.take();
    if (!sample || !*sample || sample->lost_before() != 0 ||
        !is_filled(sample->payload().first(std::min<std::size_t>(load.size, cache_line)), seed++)) {
      return false;
    }
  }
  return true;
}

TEST_P(QuietDataPath, NeitherAllocatesNorEntersTheKernel) {
  const Load& load = GetParam();
  const TopicRoot root;
  const SharedFindings findings;
  Child child([&]() -> bool {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root.uri(load.publisher)));
    Subscriber subscriber = must(node.subscriber(root.uri(load.subscriber)));
    std::uint64_t published = 0;
    std::uint64_t taken = 0;
    const auto rounds = [&](int count) {
      for (int round = 0; round < count; ++round) {
        const bool good = publish_batch(publisher, load, published) && take_batch(subscriber, load, taken);
        // Nothing more is there, said in both ways.
        const Result<Sample> none = subscriber.take();
        const Result<Wake> wake = subscriber.wait(at_once);
        if (!good || !none || *none || !wake || *wake != Wake::deadline) {
          return false;
        }
      }
      return true;
    };
    constexpr int warm_up = 1'000;
    constexpr int judged = 10'000;
    if (!rounds(warm_up)) {
      return false;
    }
    run_confined(*findings, [&] { return rounds(judged); });
  });
  EXPECT_TRUE(child.succeeded());
  judge(*findings);
  // The child left by exit_group, as if it had been killed.
  must(must(Node::open()).topics(root.backend_uri()));
}

TEST_P(QuietDataPath, NeitherAllocatesNorEntersTheKernelBetweenTwoProcesses) {
  Load load = GetParam();
  load.batch = load.size < page ? 100 : load.batch;
  const TopicRoot root;
  const SharedFindings findings;
  // The two take turns, at the pace of the scheduler where the machine is busy: so a few turns of many messages. A pool
  // of large chunks grows by one at each look until it has its spare ones, beside those that the ring keeps.
  constexpr std::uint64_t warm_up = 60;
  constexpr std::uint64_t judged = 20;
  Child publishing([&]() -> bool {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root.uri(load.publisher)));
    must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
    std::uint64_t seed = 0;
    const auto batches = [&](std::uint64_t end) {
      while (findings->published < end) {
        while (findings->taken < findings->published) {
          sched_yield();
        }
        if (!publish_batch(publisher, load, seed)) {
          return false;
        }
        ++findings->published;
      }
      return true;
    };
    if (!batches(warm_up)) {
      return false;
    }
    run_confined(*findings, [&] { return batches(warm_up + judged); });
  });
  Child subscribing([&]() -> bool {
    Node node = must(Node::open());
    Subscriber subscriber = must(node.subscriber(root.uri(load.subscriber), {.depth = 100}));
    std::uint64_t seed = 0;
    const auto batches = [&](std::uint64_t end) {
      while (findings->taken < end) {
        while (findings->published <= findings->taken) {
          sched_yield();
        }
        if (!take_batch(subscriber, load, seed)) {
          return false;
        }
        ++findings->taken;
      }
      return true;
    };
    if (!batches(warm_up)) {
      return false;
    }
    run_confined(*findings, [&] { return batches(warm_up + judged); });
  });
  EXPECT_TRUE(subscribing.succeeded());
  if (::testing::Test::HasFailure()) {
    publishing.kill_and_reap();
  } else {
    EXPECT_TRUE(publishing.succeeded());
  }
  judge(*findings);
  must(must(Node::open()).topics(root.backend_uri()));
}

INSTANTIATE_TEST_SUITE_P(Loads, QuietDataPath,
                         ::testing::Values(Load{"Empty", "", "", 0, 0, 1}, Load{"Small", "", "", 64, 0, 1},
                                           Load{"WithHeader", "", "", 100, 40, 3}, Load{"Pages", "", "", 10'000, 0, 5},
                                           Load{"Mebibytes", "", "", std::size_t{1} << 20U, 0, 2},
                                           Load{"Lossless", "grant=block", "policy=lossless", 64, 0, 7},
                                           Load{"LosslessLarge", "grant=reject", "policy=lossless", 100'000, 0, 3},
                                           Load{"History", "history=4", "history=4", 5'000, 0, 1}),
                         [](const ::testing::TestParamInfo<Load>& load) { return load.param.name; });

}  // namespace
}  // namespace weir::shm::testing
