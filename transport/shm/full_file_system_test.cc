// A file system that is full, in a tmpfs of 16 MiB of the test's own: errors, never a SIGBUS, and nothing left behind.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "transport/shm/file.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

void expect_shortage(const Error& error) {
  EXPECT_EQ(error.code(), ErrorCode::resource_exhausted) << error.message();
  EXPECT_NE(error.message().find("\"camera/front\""), std::string::npos) << "names no topic: " << error.message();
  EXPECT_NE(error.message().find("file system is full"), std::string::npos) << "no shortage: " << error.message();
  EXPECT_NE(error.message().find("WEIR_ROOT"), std::string::npos) << "no remedy: " << error.message();
}

// Another program's file, which takes all that is left.
class Glutton {
 public:
  explicit Glutton(const TopicRoot& root) : path_(root.path() + "/glutton") { eat(); }
  ~Glutton() { unlink(path_.c_str()); }
  Glutton(const Glutton&) = delete;
  Glutton& operator=(const Glutton&) = delete;

 private:
  void eat() const {
    const File file(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const std::vector<char> bytes(64 * kibibyte);
    while (write(file.get(), bytes.data(), bytes.size()) > 0) {
    }
  }

  std::string path_;
};

class FullFileSystem : public ::testing::Test {
 protected:
  // Runs the body in a child with the small file system as its root, and looks at what is left there.
  void in_small_file_system(const std::function<void()>& body, const std::string& options = "size=16m") const {
    in_private_mounts([&] {
      mount_tmpfs(root_.path(), options);
      body();
      root_.expect_nothing_left();
    });
  }

  // Lends until it is refused, writing every byte of every loan.
  static std::vector<Loan> fill_with_loans(Publisher& publisher, std::size_t size) {
    std::vector<Loan> loans;
    while (true) {
      Result<Loan> loan = publisher.loan(size);
      if (!loan) {
        expect_shortage(loan.error());
        return loans;
      }
      fill(loan->payload(), loans.size());
      loans.push_back(std::move(*loan));
    }
  }

  static void expect_to_arrive(Publisher& publisher, Subscriber& subscriber, std::size_t size) {
    const Result<std::uint64_t> sequence = send(publisher, size, size);
    ASSERT_TRUE(sequence) << size << " bytes: " << sequence.error().message();
    const Sample sample = must(subscriber.take());
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample.payload().size(), size);
    EXPECT_TRUE(is_filled(sample.payload(), size));
  }

  const TopicRoot root_;  // NOLINT: for the bodies of the tests
};

TEST_F(FullFileSystem, FillingItWithLoansIsAnErrorAndSmallerMessagesStillWork) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri()));
    Subscriber subscriber = must(node.subscriber(root_.uri()));
    std::vector<Loan> loans = fill_with_loans(publisher, mebibyte);
    EXPECT_GE(loans.size(), 14U);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64}, 100 * kibibyte}) {
      expect_to_arrive(publisher, subscriber, size);
    }
    for (std::size_t index = 0; index < loans.size(); ++index) {
      EXPECT_TRUE(is_filled(loans[index].payload(), index));
    }
    loans.pop_back();
    expect_to_arrive(publisher, subscriber, mebibyte);
  });
}

TEST_F(FullFileSystem, WhatAnotherProgramTakesBehindOnesBackIsAnErrorAndNoSignal) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri()));
    Subscriber subscriber = must(node.subscriber(root_.uri()));
    constexpr std::array<std::size_t, 4> used{64, 3 * kibibyte, 100 * kibibyte, mebibyte};
    for (int round = 0; round < 300; ++round) {
      for (const std::size_t size : used) {
        expect_to_arrive(publisher, subscriber, size);
      }
    }
    const Glutton glutton(root_);
    expect_shortage(publisher.loan(12 * mebibyte).error());  // more than the spare chunks of one mebibyte
    EXPECT_TRUE(publisher.loan(2 * mebibyte));               // from their memory
    for (int round = 0; round < 300; ++round) {
      for (const std::size_t size : used) {
        const Result<std::uint64_t> sequence = send(publisher, size, size);
        if (!sequence) {
          expect_shortage(sequence.error());
          continue;
        }
        const Sample sample = must(subscriber.take());
        ASSERT_TRUE(sample);
        ASSERT_TRUE(is_filled(sample.payload(), size));
      }
    }
    // Small ones had their memory before; it is not lost to them.
    expect_to_arrive(publisher, subscriber, 64);
  });
}

TEST_F(FullFileSystem, FreeMemoryOfOneSizeServesAnother) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri()));
    Subscriber subscriber = must(node.subscriber(root_.uri()));
    for (std::size_t size = 12 * mebibyte; size > 0; size /= 2) {
      expect_to_arrive(publisher, subscriber, size);
    }
    for (std::size_t size = 1; size < 12 * mebibyte; size *= 2) {
      expect_to_arrive(publisher, subscriber, size);
    }
  });
}

TEST_F(FullFileSystem, RefusedLoanTakesNothingFromSmallerOnes) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri()));
    Subscriber subscriber = must(node.subscriber(root_.uri()));
    expect_to_arrive(publisher, subscriber, 8 * mebibyte);
    std::vector<Loan> loans;
    loans.push_back(must(publisher.loan(4 * mebibyte)));
    loans.push_back(must(publisher.loan(4 * mebibyte)));  // for which the eight are given back
    expect_shortage(publisher.loan(8 * mebibyte).error());
    for (int count = 0; count < 6; ++count) {
      Result<Loan> loan = publisher.loan(mebibyte);
      ASSERT_TRUE(loan) << count << " of about seven: " << loan.error().message();
      loans.push_back(std::move(*loan));
    }
  });
}

TEST_F(FullFileSystem, SubscriberThatDropsNeverStarvesAPublisherOnASmallOne) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri()));
    Subscriber subscriber = must(node.subscriber(root_.uri(), {.depth = 8}));
    for (std::uint64_t round = 0; round < 100; ++round) {
      const Result<std::uint64_t> sequence = send(publisher, mebibyte, round);
      ASSERT_TRUE(sequence) << sequence.error().message();
    }
    for (std::uint64_t expected = 92; expected < 100; ++expected) {
      const Sample sample = must(subscriber.take());
      ASSERT_TRUE(sample);
      EXPECT_EQ(sample.sequence(), expected);
      EXPECT_TRUE(is_filled(sample.payload(), expected));
    }
  });
}

TEST_F(FullFileSystem, JoiningAFullOneIsAnErrorThatLeavesNothing) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    const Glutton glutton(root_);
    for (int round = 0; round < 3; ++round) {
      const Result<Publisher> publisher = node.publisher(root_.uri());
      ASSERT_FALSE(publisher);
      expect_shortage(publisher.error());
      const Result<Subscriber> subscriber = node.subscriber(root_.uri());
      ASSERT_FALSE(subscriber);
      expect_shortage(subscriber.error());
      EXPECT_FALSE(std::filesystem::exists(root_.directory()));
    }
  });
}

TEST_F(FullFileSystem, JoiningALivingTopicOnAFullOneIsAnErrorThatLeavesTheTopicAsItWas) {
  in_small_file_system([&] {
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri()));
    Subscriber subscriber = must(node.subscriber(root_.uri()));
    expect_to_arrive(publisher, subscriber, 64);
    const Glutton glutton(root_);
    const std::vector<std::string> before = root_.files();
    for (int round = 0; round < 3; ++round) {
      const Result<Publisher> second = node.publisher(root_.uri());
      ASSERT_FALSE(second);
      expect_shortage(second.error());
      const Result<Subscriber> other = node.subscriber(root_.uri());
      ASSERT_FALSE(other);
      expect_shortage(other.error());
      EXPECT_EQ(root_.files(), before);
    }
    expect_to_arrive(publisher, subscriber, 64);
  });
}

// Whatever number of inodes is left: a join succeeds, and works, or is refused and leaves nothing.
TEST_F(FullFileSystem, RunningOutOfInodesAnywhereIsAnErrorThatLeavesNothing) {
  for (int inodes = 2; inodes < 16; ++inodes) {
    in_small_file_system(
        [&] {
          Node node = must(Node::open());
          Result<Publisher> publisher = node.publisher(root_.uri());
          if (!publisher) {
            expect_shortage(publisher.error());
            return;
          }
          const std::vector<std::string> before = root_.files();
          Result<Subscriber> subscriber = node.subscriber(root_.uri());
          if (!subscriber) {
            expect_shortage(subscriber.error());
            EXPECT_EQ(root_.files(), before) << "with " << inodes << " inodes";
            return;
          }
          const Result<std::uint64_t> sequence = send(*publisher, 64, 1);
          if (!sequence) {
            expect_shortage(sequence.error());
            return;
          }
          EXPECT_TRUE(is_filled(must(subscriber->take()).payload(), 1));
        },
        "size=16m,nr_inodes=" + std::to_string(inodes));
  }
}

}  // namespace
}  // namespace weir::shm::testing
