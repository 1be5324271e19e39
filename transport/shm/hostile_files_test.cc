// Files that are not what they should be: each a clear error or cleaned up, never a crash and never a hang.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/segment.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr PeerId foreign_id = 0x5f0c'93a1'd2e4'b687;

void expect_error(const Error& error, ErrorCode code, const std::vector<std::string>& words) {
  EXPECT_EQ(error.code(), code) << error.message();
  for (const std::string& word : words) {
    EXPECT_NE(error.message().find(word), std::string::npos) << "no \"" << word << "\" in: " << error.message();
  }
}

class HostileFiles : public ::testing::Test {
 protected:
  void write_file(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(root_.directory());
    std::filesystem::remove(root_.directory() / name);
    std::ofstream(root_.directory() / name) << content;
  }

  void expect_refused(ErrorCode code, const std::vector<std::string>& words) {
    const Result<Publisher> publisher = node_.publisher(root_.uri());
    ASSERT_FALSE(publisher);
    expect_error(publisher.error(), code, words);
    const Result<Subscriber> subscriber = node_.subscriber(root_.uri());
    ASSERT_FALSE(subscriber);
    expect_error(subscriber.error(), code, words);
  }

  // Puts a file in place of a segment, with its owner's lock if it shall seem alive.
  [[nodiscard]] Lock plant(Role role, const std::string& content, bool alive) const {
    const std::string name = segment_name(role, foreign_id);
    write_file(name, content);
    if (!alive) {
      return {};
    }
    File file = must(open_file(AT_FDCWD, root_.directory() / name, O_RDWR, "planting"));
    return must(Lock::try_take(std::move(file), owner_byte, LockKind::exclusive, "planting")).value();
  }

  static std::string header_page(std::uint64_t magic, std::uint32_t version, std::size_t size) {
    SegmentHeader header{};
    header.magic = magic;
    header.version = version;
    header.id = foreign_id;
    std::string content(size, '\0');
    std::memcpy(content.data(), &header, sizeof(header));
    return content;
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(HostileFiles, FileInPlaceOfTheRootIsRefused) {
  const std::string path = root_.path() + "/file";
  std::ofstream(path) << "precious";
  const Result<Publisher> publisher = node_.publisher("shm://camera/front?root=" + path);
  ASSERT_FALSE(publisher);
  expect_error(publisher.error(), ErrorCode::corrupt, {"\"camera/front\"", path, "remove it"});
  unlink(path.c_str());
}

TEST_F(HostileFiles, ReadOnlyRootIsRefused) {
  in_private_mounts([&] {
    mount_tmpfs(root_.path(), "size=1m");
    remount_read_only(root_.path());
    expect_refused(ErrorCode::permission_denied, {"\"camera/front\"", "read-only", "WEIR_ROOT"});
  });
}

TEST_F(HostileFiles, SpoiledTopicFileIsRefusedAndLeftAsEvidence) {
  TopicHeader header{};
  header.magic = topic_magic;
  header.version = layout_version + 1;
  std::string other_version(page, '\0');
  std::memcpy(other_version.data(), &header, sizeof(header));
  struct Case {
    std::string content;
    ErrorCode code;
    std::string word;
  };
  const std::vector<Case> cases{{"", ErrorCode::corrupt, "too short"},
                                {std::string(page, 'x'), ErrorCode::corrupt, "not a topic file"},
                                {std::string(10 * page, '\0'), ErrorCode::corrupt, "not a topic file"},
                                {other_version, ErrorCode::incompatible, "layout version 2"}};
  for (const Case& spoiled : cases) {
    write_file(topic_file, spoiled.content);
    expect_refused(spoiled.code, {"\"camera/front\"", spoiled.word, "remove that directory"});
    EXPECT_EQ(std::filesystem::file_size(root_.directory() / topic_file), spoiled.content.size());
  }
  std::filesystem::remove_all(root_.directory());
}

TEST_F(HostileFiles, SpoiledEpochFileIsRefusedUntilTheRootIsSwept) {
  static_cast<void>(must(node_.publisher(root_.uri("", "another"))));  // a node sweeps a root when it first sees it
  write_file(epoch_file, "short");
  expect_refused(ErrorCode::corrupt, {"\"camera/front\"", "too short", "remove that directory"});
  must(must(Node::open()).publisher(root_.uri()));
  EXPECT_FALSE(std::filesystem::exists(root_.directory())) << "nobody used it";
}

TEST_F(HostileFiles, DirectoryInPlaceOfTheEpochFileIsRefused) {
  std::filesystem::create_directories(root_.directory() / epoch_file);
  expect_refused(ErrorCode::corrupt, {"\"camera/front\"", epoch_file, "remove it"});
  std::filesystem::remove_all(root_.directory());
}

TEST_F(HostileFiles, OwnerlessGarbageInPlaceOfSegmentsIsCleanedUp) {
  for (const Role role : {Role::publisher, Role::subscriber}) {
    for (const std::string& content : {std::string(), std::string("x"), std::string(3 * page, 'x')}) {
      static_cast<void>(plant(role, content, false));
      Publisher publisher = must(node_.publisher(root_.uri()));
      Subscriber subscriber = must(node_.subscriber(root_.uri()));
      must(send(publisher, 64, 1));
      EXPECT_EQ(drain(subscriber), 1U);
      EXPECT_FALSE(std::filesystem::exists(root_.directory() / segment_name(role, foreign_id)));
    }
  }
}

TEST_F(HostileFiles, PublisherSegmentThatIsGarbageButOwnedIsRefusedBySubscribers) {
  struct Case {
    std::string content;
    ErrorCode code;
  };
  const std::vector<Case> cases{
      {"", ErrorCode::corrupt},
      {"x", ErrorCode::corrupt},
      {std::string(3 * page, 'x'), ErrorCode::corrupt},
      {header_page(subscriber_magic, layout_version, 2 * page), ErrorCode::corrupt},
      {header_page(publisher_magic, layout_version, 2 * page), ErrorCode::corrupt},  // no slots
      {header_page(publisher_magic, layout_version + 1, 2 * page), ErrorCode::incompatible}};
  for (const Case& planted : cases) {
    const Lock alive = plant(Role::publisher, planted.content, true);
    Publisher publisher = must(node_.publisher(root_.uri()));  // is not concerned
    const Result<Subscriber> subscriber = node_.subscriber(root_.uri());
    ASSERT_FALSE(subscriber);
    expect_error(subscriber.error(), planted.code, {"\"camera/front\"", segment_name(Role::publisher, foreign_id)});
    must(send(publisher, 64, 1));
  }
  must(node_.topics(root_.backend_uri()));
}

TEST_F(HostileFiles, PublisherSegmentThatTurnsUpAsGarbageIsReportedOnceAndLeftOut) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  const Lock alive = plant(Role::publisher, std::string(3 * page, 'x'), true);
  static_cast<void>(must(node_.publisher(root_.uri())));  // everybody lists again
  EXPECT_EQ(must(subscriber.wait(after(std::chrono::seconds(10)))), Wake::ready) << "who waits is not told";
  const Result<Sample> reported = subscriber.take();
  ASSERT_FALSE(reported);
  expect_error(reported.error(), ErrorCode::corrupt, {"\"camera/front\"", segment_name(Role::publisher, foreign_id)});
  must(send(publisher, 64, 1));
  EXPECT_EQ(drain(subscriber), 1U);
}

TEST_F(HostileFiles, SubscriberSegmentThatIsGarbageButOwnedHarmsNoPublisher) {
  for (const std::string& content :
       {std::string(), std::string(3 * page, 'x'), header_page(subscriber_magic, layout_version, 2 * page),
        header_page(subscriber_magic, layout_version + 1, 2 * page)}) {
    const Lock alive = plant(Role::subscriber, content, true);
    Publisher publisher = must(node_.publisher(root_.uri("grant=reject")));
    Subscriber subscriber = must(node_.subscriber(root_.uri("policy=lossless")));
    for (std::uint64_t round = 0; round < 2'000; ++round) {
      must(send(publisher, 64, round));
      ASSERT_TRUE(must(subscriber.take()));
    }
  }
  must(node_.topics(root_.backend_uri()));
}

enum class Damage { truncated, removed, replaced };

class DamagedChunks : public HostileFiles, public ::testing::WithParamInterface<Damage> {
 protected:
  static void damage(const std::filesystem::path& file) {
    if (GetParam() == Damage::truncated) {
      ASSERT_EQ(truncate(file.c_str(), 0), 0);
      return;
    }
    ASSERT_EQ(unlink(file.c_str()), 0);
    if (GetParam() == Damage::replaced) {
      ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    }
  }
};

TEST_P(DamagedChunks, AreReportedOnceAndTheirPublisherIsLeftOut) {
  Publisher damaged = must(node_.publisher(root_.uri("grant=reject")));
  Subscriber subscriber = must(node_.subscriber(root_.uri("policy=lossless"), {.depth = 4}));
  must(send(damaged, 4096, 1));
  ASSERT_EQ(root_.chunk_files().size(), 1U);
  damage(root_.directory() / root_.chunk_files().front());
  const Result<Sample> reported = subscriber.take();
  ASSERT_FALSE(reported);
  expect_error(reported.error(), ErrorCode::corrupt, {"\"camera/front\"", "restart"});
  EXPECT_FALSE(must(subscriber.take()));
  EXPECT_EQ(must(subscriber.wait(at_once)), Wake::deadline);
  // It gates nobody any more, and others are heard.
  for (int count = 0; count < 20; ++count) {
    must(must(damaged.loan(0)).publish());
  }
  Publisher other = must(node_.publisher(root_.uri("grant=reject")));
  must(send(other, 64, 2));
  EXPECT_TRUE(is_filled(must(subscriber.take()).payload(), 2));
}

std::string name_of(const ::testing::TestParamInfo<Damage>& damage) {
  switch (damage.param) {
    case Damage::truncated:
      return "Truncated";
    case Damage::removed:
      return "Removed";
    default:
      return "Replaced";
  }
}

INSTANTIATE_TEST_SUITE_P(Damages, DamagedChunks,
                         ::testing::Values(Damage::truncated, Damage::removed, Damage::replaced), name_of);

TEST_F(HostileFiles, PublisherWhoseRingIsOverwrittenIsReportedOnceAndLeftOut) {
  for (const char* policy : {"drop_oldest", "lossless"}) {
    Publisher damaged = must(node_.publisher(root_.uri("depth=8&grant=reject")));
    Subscriber subscriber = must(node_.subscriber(root_.uri(std::string("depth=8&policy=") + policy)));
    must(send(damaged, 64, 1));
    {
      const File file =
          must(open_file(AT_FDCWD, root_.directory() / root_.segment(Role::publisher), O_RDWR, "spoiling"));
      const std::string garbage(
          std::filesystem::file_size(root_.directory() / root_.segment(Role::publisher)) - slots_offset, '\xFF');
      ASSERT_EQ(pwrite(file.get(), garbage.data(), garbage.size(), slots_offset), static_cast<ssize_t>(garbage.size()));
    }
    EXPECT_EQ(must(subscriber.wait(at_once)), Wake::ready) << policy;
    const Result<Sample> reported = subscriber.take();
    ASSERT_FALSE(reported) << policy;
    expect_error(reported.error(), ErrorCode::corrupt, {"\"camera/front\"", "overwritten", "restart"});
    EXPECT_FALSE(must(subscriber.take())) << policy;
    EXPECT_EQ(must(subscriber.wait(at_once)), Wake::deadline) << policy;
    Publisher other = must(node_.publisher(root_.uri("depth=8&grant=reject")));
    must(send(other, 64, 2));
    EXPECT_TRUE(is_filled(must(subscriber.take()).payload(), 2)) << policy;
  }
}

// A janitor that is stopped in the middle keeps the segment of a dead publisher locked.
TEST_F(HostileFiles, TopicThatSomebodyRemovedByHandIsMadeAnewAndItsFormerUsersGoOnAmongThemselves) {
  Publisher former_publisher = must(node_.publisher(root_.uri("depth=8")));
  Subscriber former_subscriber = must(node_.subscriber(root_.uri("depth=8")));
  must(former_publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
  must(send(former_publisher, 1000, 0));
  EXPECT_TRUE(is_filled(next_sample(former_subscriber).payload(), 0));  // from now on it has the file mapped
  must(send(former_publisher, 1000, 1));
  std::filesystem::remove_all(root_.directory());
  {
    Publisher publisher = must(node_.publisher(root_.uri("depth=8")));
    Subscriber subscriber = must(node_.subscriber(root_.uri("depth=8")));
    must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
    must(send(publisher, 1000, 7));
    must(send(former_publisher, 1000, 2));
    EXPECT_TRUE(is_filled(next_sample(subscriber).payload(), 7));
    EXPECT_FALSE(must(subscriber.take())) << "from a topic that is gone";
    EXPECT_EQ(must(publisher.peers()).size(), 1U);
    for (std::uint64_t round = 1; round < 3; ++round) {
      EXPECT_TRUE(is_filled(next_sample(former_subscriber).payload(), round));
    }
    // What needs a new file cannot be had any more.
    const auto refused = former_publisher.loan(1'000'000);
    ASSERT_FALSE(refused);
    expect_error(refused.error(), ErrorCode::not_found, {"camera/front"});
    must(send(former_publisher, 1000, 3));
    EXPECT_TRUE(is_filled(next_sample(former_subscriber).payload(), 3));
    { const Publisher left = std::move(former_publisher); }
    { const Subscriber left = std::move(former_subscriber); }
    must(send(publisher, 1000, 8));
    EXPECT_TRUE(is_filled(next_sample(subscriber).payload(), 8)) << "the former users took the new topic away";
  }
  root_.expect_nothing_left();
}

TEST_F(HostileFiles, StoppedJanitorHangsNobody) {
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  static_cast<void>(must(subscriber.fd()));
  {
    Publisher ended = must(node_.publisher(root_.uri()));
    must(send(ended, 64, 1));
  }
  {
    const File held = must(open_file(AT_FDCWD, root_.directory() / root_.segment(Role::publisher), O_RDWR, "holding"));
    ASSERT_TRUE(try_lock_briefly(held, whole_segment, LockKind::exclusive));
    EXPECT_FALSE(must(subscriber.take()));
    EXPECT_EQ(must(subscriber.wait(after(std::chrono::milliseconds(1)))), Wake::deadline);
    Publisher publisher = must(node_.publisher(root_.uri()));
    must(send(publisher, 64, 1));
    EXPECT_EQ(drain(subscriber), 1U);
  }
  EXPECT_EQ(drain(subscriber), 1U) << "what the janitor kept from us";
}

TEST_F(HostileFiles, NeighboursOfAnAbsoluteTopicAreLeftAlone) {
  const std::filesystem::path empty = std::filesystem::path(root_.path()) / "somebodys-empty-directory";
  std::filesystem::create_directory(empty);
  {
    Publisher publisher = must(node_.publisher("shm://" + root_.path() + "/feed"));
    const Subscriber subscriber = must(node_.subscriber("shm://" + root_.path() + "/feed"));
    must(send(publisher, 64, 1));
    EXPECT_TRUE(std::filesystem::exists(empty));
  }
  EXPECT_TRUE(std::filesystem::exists(empty));
  std::filesystem::remove(empty);
}

}  // namespace
}  // namespace weir::shm::testing
