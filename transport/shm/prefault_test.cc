// The options prefault and mlock: memory that is there before it is needed.
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t message = 40'000;

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

// Kilobytes of mappings that this process has locked. (What smaps calls "Locked" is its share only.)
std::size_t locked() {
  std::ifstream status("/proc/self/status");
  std::size_t kilobytes = 0;
  for (std::string line; std::getline(status, line);) {
    if (std::sscanf(line.c_str(), "VmLck: %zu kB", &kilobytes) == 1) break;
  }
  return kilobytes;
}

// Page faults of this thread while messages go round a ring several times, the first ones included.
long faults_of_messages(const TopicRoot& root, std::size_t size, const std::string& options) {
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri("depth=7&loans=2" + options)));
  Subscriber subscriber = must(node.subscriber(root.uri("depth=7&held=4" + options)));
  must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
  const long before = page_faults();
  for (std::uint64_t round = 0; round < 100; ++round) {
    must(send(publisher, size, round));
    const Sample sample = must(subscriber.take());
    if (!is_filled(sample.payload(), round)) {
      throw std::runtime_error("torn");
    }
  }
  return page_faults() - before;
}

TEST(Prefault, LeavesNoPageFaultToTheDataPath) {
  const TopicRoot root;
  for (const std::size_t size : {std::size_t{64}, std::size_t{1000}, message}) {
    SCOPED_TRACE(size);
    const std::string options = size == message ? "&prefault=40000" : size == 1000 ? "&prefault=1000" : "&prefault=yes";
    EXPECT_GT(faults_of_messages(root, size, ""), 0);  // also warms up what belongs to no topic
    EXPECT_EQ(faults_of_messages(root, size, options), 0);
  }
}

TEST(Prefault, ReservesWhatRingAndLoansCanHoldAndGivesItBack) {
  const TopicRoot root;
  Node node = must(Node::open());
  {
    const Publisher publisher = must(node.publisher(root.uri("depth=7&loans=2&prefault=40000")));
    EXPECT_EQ(root.chunk_bytes(), (8 + 2) * 40'960U);
    const Publisher small = must(node.publisher(root.uri("depth=7&loans=2&prefault=64")));
    EXPECT_EQ(root.chunk_bytes(), (8 + 2) * 40'960U) << "such messages travel in the slot";
  }
  EXPECT_EQ(root.chunk_bytes(), 0U);
}

TEST(Prefault, OfADurablePublisherIsTheSameEachTimeItComesBack) {
  for (const std::string options : {"prefault=1000&memory=32768", "prefault=40000&memory=409600"}) {
    SCOPED_TRACE(options);
    const TopicRoot root;
    Node node = must(Node::open());
    const std::size_t size = options.starts_with("prefault=1000&") ? 1000 : message;
    std::size_t reserved = 0;
    for (std::uint64_t tenure = 0; tenure < 6; ++tenure) {
      Publisher publisher =
          must(node.publisher(root.uri("durability=persistent&name=c&depth=3&history=4&loans=2&" + options)));
      EXPECT_EQ(publisher.next_sequence(), tenure * 5);
      if (tenure == 0) reserved = root.chunk_bytes();
      EXPECT_EQ(root.chunk_bytes(), reserved) << tenure;
      for (std::uint64_t round = 0; round < 5; ++round) must(send(publisher, size, round));
    }
    EXPECT_GT(reserved, 0U);
    must(node.remove(root.uri()));
  }
}

TEST(Prefault, BeyondTheMemoryLimitIsRefusedAtTheJoinByName) {
  const TopicRoot root;
  const auto refused = must(Node::open()).publisher(root.uri("depth=7&loans=2&prefault=40000&memory=200000"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::limit_exceeded);
  EXPECT_THAT(refused.error().message(), HasSubstr("memory=200000"));
}

TEST(Prefault, OptionsAreTheSameInTheUriAndInCodeAndRefusedWhereTheyAreWrong) {
  const TopicRoot root;
  Node node = must(Node::open());
  const ExtraOptions in_code{{"prefault", "yes"}, {"mlock", "no"}};
  EXPECT_TRUE(node.publisher(root.uri("prefault=yes&mlock=no"), {.extra = in_code}));
  EXPECT_FALSE(node.publisher(root.uri("prefault=no"), {.extra = in_code}));
  for (const char* wrong : {"prefault=maybe", "prefault=0", "prefault=", "mlock=1", "mlock=64KiB"}) {
    const auto publisher = node.publisher(root.uri(wrong));
    const auto subscriber = node.subscriber(root.uri(wrong));
    ASSERT_FALSE(publisher);
    ASSERT_FALSE(subscriber);
    EXPECT_EQ(publisher.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(subscriber.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(publisher.error().message(), HasSubstr(std::string(wrong).substr(0, std::string(wrong).find('='))));
  }
}

TEST(Mlock, LocksSegmentsAndChunksOnBothSides) {
  const TopicRoot root;
  Child child([&] {
    EXPECT_EQ(locked(), 0U);
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root.uri("depth=7&loans=2&mlock=yes&prefault=40000")));
    // Ten messages of ten pages, a page of header and 1 KiB of ring, a page of counters.
    const std::size_t by_publisher = locked();
    EXPECT_GE(by_publisher, (10 * 40'960U + 3 * 4096U) / 1024);
    must(send(publisher, message, 0));
    Subscriber subscriber = must(node.subscriber(root.uri("depth=7&mlock=yes")));
    EXPECT_GE(locked(), 2 * by_publisher);
    Publisher plain = must(node.publisher(root.uri("", "another")));
    must(send(plain, message, 0));
    const std::size_t by_both = locked();
    { const Subscriber left = std::move(subscriber); }
    { const Publisher left = std::move(publisher); }
    EXPECT_LT(locked(), by_both / 2) << "by those that did not ask for it";
    return true;
  });
  EXPECT_TRUE(child.succeeded()) << "RLIMIT_MEMLOCK below 2 MiB?";
}

TEST(Mlock, BeyondTheLimitIsAnErrorThatNamesLimitAndRemedyAndLeavesNothing) {
  for (const rlim_t limit : {rlim_t{0}, rlim_t{32} * 1024}) {
    const TopicRoot root;
    Child child([&] {
      // Whoever may lock as much as there is would not meet the limit.
      __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
      __user_cap_data_struct data[2]{};
      require(syscall(SYS_capget, &header, data) == 0, "reading capabilities");
      for (auto* set : {&data[0].effective, &data[0].permitted}) *set &= ~(1U << unsigned{CAP_IPC_LOCK});
      require(syscall(SYS_capset, &header, data) == 0, "giving up a capability");
      const rlimit wanted{.rlim_cur = limit, .rlim_max = limit};
      require(setrlimit(RLIMIT_MEMLOCK, &wanted) == 0, "lowering RLIMIT_MEMLOCK");
      Node node = must(Node::open());
      const auto expect_refused = [&](const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::resource_exhausted) << error.message();
        for (const std::string& part :
             {std::string("topic \"camera/front\""), std::string("mlock"), std::string("RLIMIT_MEMLOCK"),
              std::to_string(limit), std::string("ulimit -l")}) {
          EXPECT_THAT(error.message(), HasSubstr(part));
        }
      };
      const auto publisher = node.publisher(root.uri("mlock=yes&prefault=40000&memory=100MiB"));
      const auto subscriber = node.subscriber(root.uri("mlock=yes&held=8192"));
      if (publisher || subscriber) return false;
      expect_refused(publisher.error());
      expect_refused(subscriber.error());
      return true;
    });
    EXPECT_TRUE(child.succeeded());
  }
}

}  // namespace
}  // namespace weir::shm::testing
