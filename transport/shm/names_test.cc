#include "transport/shm/names.h"

#include <cctype>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "transport/endpoint.h"

namespace weir::shm {
namespace {

TEST(DirectoryName, PlainTopicKeepsItsName) {
  EXPECT_EQ(directory_of("imu_2.raw-data"), "imu_2.raw-data");
  EXPECT_EQ(directory_of("camera/front"), "camera%2Ffront");
  EXPECT_EQ(directory_of("größe"), "gr%C3%B6%C3%9Fe");
}

TEST(DirectoryName, NoTopicLeavesTheRoot) {
  EXPECT_EQ(directory_of(".."), "%2E.");
  EXPECT_EQ(directory_of("."), "%2E");
  EXPECT_EQ(directory_of("../etc"), "%2E.%2Fetc");
  EXPECT_EQ(directory_of("/etc/passwd"), "%2Fetc%2Fpasswd");
  EXPECT_EQ(directory_of(std::string_view("a\0b", 3)), "a%00b");
}

TEST(DirectoryName, DifferentTopicsNeverMeet) {
  std::vector<std::string> topics = {"A", "%41", "a/b", "a%2Fb", "a%2fb", "A/b", "a~b", "a%7Eb"};
  for (int byte = 0; byte < 256; ++byte) topics.push_back("byte:" + std::string(1, static_cast<char>(byte)));
  for (std::size_t size = 150; size <= max_topic_size; ++size) {
    topics.emplace_back(size, 'x');
    topics.emplace_back(std::string(size, 'x') + 'y');
    topics.push_back(directory_of(topics.back()));  // what looks like the directory of another
  }
  std::set<std::string> directories;
  std::set<std::string> distinct(topics.begin(), topics.end());
  for (const std::string& topic : distinct) directories.insert(directory_of(topic));
  // A short plain topic and itself as "the directory of another" are one topic, which `distinct` has once.
  EXPECT_EQ(directories.size(), distinct.size());
}

TEST(DirectoryName, EveryTopicFitsAFileName) {
  for (const char character : {'x', '/', '.', '\xff'}) {
    for (std::size_t size = 1; size <= max_topic_size; ++size) {
      const std::string name = directory_of(std::string(size, character));
      ASSERT_LE(name.size(), 200U);
      ASSERT_TRUE(is_directory_name(name)) << name;
    }
  }
}

TEST(DirectoryName, LongNameIsThatOfThisLayoutVersion) {
  // The hash is FNV-1a of 128 bits; a change here is a change of the layout version.
  EXPECT_EQ(directory_of(std::string(201, 'x')), std::string(167, 'x').append("~e7b5f423d4969ef3666fee9b430c6717"));
  EXPECT_EQ(directory_of(std::string(200, 'x')), std::string(200, 'x'));
}

TEST(DirectoryName, LongNameEndsInNoHalfEscape) {
  for (std::size_t plain = 0; plain < 3; ++plain) {
    const std::string name = directory_of(std::string(plain, 'x') + std::string(100, '/'));
    const std::string prefix = name.substr(0, name.find('~'));
    EXPECT_EQ((prefix.size() - plain) % 3, 0U) << name;
    EXPECT_GE(prefix.size(), 165U);
  }
}

TEST(DirectoryName, OthersDirectoriesAreNotTopics) {
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "my files", "a\nb", "größe"}) {
    EXPECT_FALSE(is_directory_name(name)) << name;
  }
  EXPECT_FALSE(is_directory_name(std::string(201, 'x')));
}

TEST(SegmentName, ReadsBack) {
  for (const PeerId id : {PeerId{1}, PeerId{0x5f0c'93a1'd2e4'b687}, ~PeerId{0}}) {
    for (const Role role : {Role::publisher, Role::subscriber}) {
      const auto segment = parse_segment_name(segment_name(role, id));
      ASSERT_TRUE(segment);
      EXPECT_EQ(segment->role, role);
      EXPECT_EQ(segment->id, id);
      EXPECT_FALSE(parse_companion_name(segment_name(role, id)));
    }
  }
  EXPECT_EQ(segment_name(Role::publisher, 0x5f0c'93a1'd2e4'b687), "p.5f0c93a1d2e4b687");
  EXPECT_EQ(segment_name(Role::subscriber, 1), "s.0000000000000001");
}

TEST(CompanionName, LeadsToItsSegment) {
  const PeerId id = 0x19be'7702'3fd1'c5a4;
  EXPECT_EQ(chunk_file_name(id, 10), "p.19be77023fd1c5a4.c0a");
  for (const std::string& name : {chunk_file_name(id, 0), chunk_file_name(id, 255), life_name(Role::publisher, id),
                                  wake_name(Role::publisher, id)}) {
    const auto segment = parse_companion_name(name);
    ASSERT_TRUE(segment) << name;
    EXPECT_EQ(segment->role, Role::publisher);
    EXPECT_EQ(segment->id, id);
    EXPECT_FALSE(parse_segment_name(name)) << name;
  }
  for (const std::string& name : {life_name(Role::subscriber, id), wake_name(Role::subscriber, id)}) {
    const auto segment = parse_companion_name(name);
    ASSERT_TRUE(segment) << name;
    EXPECT_EQ(segment->role, Role::subscriber);
    EXPECT_EQ(segment->id, id);
  }
}

TEST(CompanionName, StrangersAreNotOurs) {
  for (const char* name : {"",
                           "p",
                           "p.",
                           "topic",
                           "epoch",
                           "core",
                           "p.0000000000000000",
                           "p.5f0c93a1d2e4b68",
                           "p.5f0c93a1d2e4b6871",
                           "p.5F0C93A1D2E4B687",
                           "x.5f0c93a1d2e4b687",
                           "p-5f0c93a1d2e4b687",
                           "p.5f0c93a1d2e4b68g",
                           "p.5f0c93a1d2e4b687.",
                           "p.5f0c93a1d2e4b687.c",
                           "p.5f0c93a1d2e4b687.c0",
                           "p.5f0c93a1d2e4b687.c0A",
                           "p.5f0c93a1d2e4b687.c00a",
                           "p.5f0c93a1d2e4b687.lif",
                           "p.5f0c93a1d2e4b687.life~",
                           "p.5f0c93a1d2e4b687~",
                           "s.5f0c93a1d2e4b687.c0a",
                           "s.0000000000000000.life",
                           " p.5f0c93a1d2e4b687"}) {
    EXPECT_FALSE(parse_segment_name(name)) << name;
    EXPECT_FALSE(parse_companion_name(name)) << name;
  }
}

TEST(RandomId, IsNeverTheSameTwice) {
  std::set<PeerId> ids;
  for (int count = 0; count < 10'000; ++count) ids.insert(random_id());
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_FALSE(ids.contains(0));
}

}  // namespace
}  // namespace weir::shm
