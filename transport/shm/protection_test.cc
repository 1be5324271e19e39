// Who may write where: the memory protection that keeps a faulty process from harming the others.
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

struct MappedFile {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string permissions;  // "rw-s"
  std::string name;         // of the file below the root
};

// The names of the topic's files by inode: what was made without a name is listed without it for ever.
std::map<std::uint64_t, std::string> names_by_inode(const TopicRoot& root) {
  std::map<std::uint64_t, std::string> names;
  for (const std::string& name : root.files()) {
    struct stat status {};
    if (stat((root.directory() / name).c_str(), &status) == 0) {
      names[status.st_ino] = name;
    }
  }
  return names;
}

// What this process has mapped of the files below the root.
std::vector<MappedFile> mapped_files(const TopicRoot& root) {
  const std::map<std::uint64_t, std::string> names = names_by_inode(root);
  std::vector<MappedFile> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(root.path() + '/') == std::string::npos) {
      continue;
    }
    std::istringstream fields(line);
    MappedFile file;
    char dash = 0;
    std::string offset;
    std::string device;
    std::uint64_t inode = 0;
    fields >> std::hex >> file.begin >> dash >> file.end >> file.permissions >> offset >> device >> std::dec >> inode;
    const auto name = names.find(inode);
    file.name = name == names.end() ? line : name->second;
    found.push_back(file);
  }
  return found;
}

std::multiset<std::string> writable(const std::vector<MappedFile>& files) {
  std::multiset<std::string> names;
  for (const MappedFile& file : files) {
    if (file.permissions.find('w') != std::string::npos) {
      EXPECT_EQ(file.permissions.back(), 's') << file.name << " is not a shared mapping";
      names.insert(file.name);
    }
  }
  return names;
}

sigjmp_buf after_fault;            // NOLINT: a signal handler has nothing else to go by
volatile std::uintptr_t fault_at;  // NOLINT
volatile int fault_code;           // NOLINT

void note_fault(int /*signal*/, siginfo_t* info, void* /*context*/) {
  fault_at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  fault_code = info->si_code;
  siglongjmp(after_fault, 1);
}

// Whether a store to `place` is a SIGSEGV at that very place, for want of permission.
bool store_faults(const void* place) {
  struct sigaction handler {};
  struct sigaction before {};
  handler.sa_sigaction = note_fault;
  handler.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &handler, &before);
  volatile bool faulted = true;
  if (sigsetjmp(after_fault, 1) == 0) {
    *static_cast<volatile char*>(const_cast<void*>(place)) = 1;
    faulted = false;
  }
  sigaction(SIGSEGV, &before, nullptr);
  return faulted && fault_at == reinterpret_cast<std::uintptr_t>(place) && fault_code == SEGV_ACCERR;
}

constexpr std::size_t small_size = 64;
constexpr std::size_t large_size = std::size_t{1} << 20U;
constexpr std::size_t header_size = 100;

void publish_with_header(Publisher& publisher, std::size_t size) {
  Loan loan = must(publisher.loan(size, header_size));
  fill(loan.payload(), size);
  fill(loan.header(), size);
  must(loan.publish());
}

TEST(Protection, SubscriberWritesNeitherPayloadNorHeaderOfItsOwnProcessesPublisher) {
  const TopicRoot root;
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri()));
  Subscriber subscriber = must(node.subscriber(root.uri()));
  for (const std::size_t size : {small_size, large_size}) {
    publish_with_header(publisher, size);
    const Sample sample = must(subscriber.take());
    ASSERT_TRUE(sample);
    EXPECT_TRUE(store_faults(sample.payload().data()));
    EXPECT_TRUE(store_faults(&sample.payload().back()));
    EXPECT_TRUE(store_faults(sample.header().data()));
    EXPECT_TRUE(is_filled(sample.payload(), size)) << "a store went through";
  }
}

TEST(Protection, AStrayWriteToASmallMessageReachesNobodyElse) {
  const TopicRoot root;
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri("history=1")));
  Subscriber writer = must(node.subscriber(root.uri("history=1")));
  Subscriber other = must(node.subscriber(root.uri("history=1")));
  must(send(publisher, small_size, 1));
  const Sample spoilt = must(writer.take());
  const_cast<std::byte&>(spoilt.payload().front()) = ~spoilt.payload().front();  // NOLINT: the misuse that is judged
  EXPECT_TRUE(is_filled(must(other.take()).payload(), 1));
  Subscriber late = must(node.subscriber(root.uri("history=1")));
  EXPECT_TRUE(is_filled(must(late.take()).payload(), 1));
}

// The publisher lives in one child, the subscriber in another; each looks at its own mappings, with samples of two size
// classes in hand.
class Separated : public ::testing::Test {
 protected:
  void run(const std::function<void(const std::vector<MappedFile>&)>& judge_publisher,
           const std::function<void(const std::vector<MappedFile>&, const Sample&)>& judge_subscriber) {
    Child publishing([&] {
      Node node = must(Node::open());
      Publisher publisher = must(node.publisher(root_.uri()));
      must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
      publish_with_header(publisher, small_size);
      publish_with_header(publisher, large_size);
      judge_publisher(mapped_files(root_));
      return judged_.await();
    });
    Child subscribing([&] {
      Node node = must(Node::open());
      Subscriber subscriber = must(node.subscriber(root_.uri()));
      const Sample first = next_sample(subscriber);
      const Sample second = next_sample(subscriber);
      judge_subscriber(mapped_files(root_), second);
      judged_.give();
      return true;
    });
    EXPECT_TRUE(subscribing.succeeded());
    judged_.give();  // should the subscriber have failed before it gave
    EXPECT_TRUE(publishing.succeeded());
  }

  const TopicRoot root_;  // NOLINT: for the bodies of the tests

 private:
  Signal judged_;
};

TEST_F(Separated, SubscriberCanWriteNothingButItsSegmentAndTheEpochPage) {
  run([](const auto& /*publisher*/) {},
      [&](const std::vector<MappedFile>& files, const Sample& sample) {
        EXPECT_EQ(writable(files), (std::multiset<std::string>{epoch_file, root_.segment(Role::subscriber)}));
        EXPECT_GE(files.size(), 5U) << "segments, chunks of two sizes, epoch page";
        EXPECT_TRUE(store_faults(sample.payload().data()));
        EXPECT_TRUE(store_faults(sample.header().data()));
      });
}

TEST_F(Separated, PublisherCanWriteNothingButItsSegmentItsChunksAndTheEpochPage) {
  run(
      [&](const std::vector<MappedFile>& files) {
        const std::string own = root_.segment(Role::publisher);
        std::multiset<std::string> expected{epoch_file, own};
        for (const std::string& name : root_.chunk_files()) {
          expected.insert(name);
        }
        EXPECT_EQ(expected.size(), 4U) << "chunks of two sizes";
        EXPECT_EQ(writable(files), expected);
      },
      [](const auto& /*subscriber*/, const Sample& /*sample*/) {});
}

TEST_F(Separated, WhatASubscriberMapsOfOthersItCannotMakeWritable) {
  run([](const auto& /*publisher*/) {},
      [&](const std::vector<MappedFile>& files, const Sample& /*sample*/) {
        const std::string own = root_.segment(Role::subscriber);
        int tried = 0;
        for (const MappedFile& file : files) {
          if (file.name == own || file.name == epoch_file) {
            continue;
          }
          ++tried;
          EXPECT_EQ(mprotect(reinterpret_cast<void*>(file.begin), page, PROT_READ | PROT_WRITE), -1) << file.name;
          EXPECT_EQ(errno, EACCES) << file.name;
        }
        EXPECT_GE(tried, 3) << "the publisher's segment and its chunks of two sizes";
      });
}

}  // namespace
}  // namespace weir::shm::testing
