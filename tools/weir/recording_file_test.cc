// The file of `weir record`, cut and damaged at every byte.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/recording_frame.h"
#include "tools/weir/recording_reader.h"
#include "tools/weir/recording_writer.h"
#include "tools/weir/test_program.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

struct Message {
  std::uint32_t source = 0;
  std::uint64_t sequence = 0;
  std::uint64_t lost_before = 0;
  std::int64_t time = 0;
  std::string header = {};
  std::string payload = {};

  friend bool operator==(const Message&, const Message&) = default;
};

Message copy_of(const RecordedMessage& message) {
  const auto text = [](std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  return {.source = message.source,
          .sequence = message.sequence,
          .lost_before = message.lost_before,
          .time = message.time,
          .header = text(message.header),
          .payload = text(message.payload)};
}

void write_message(RecordingWriter& writer, const Message& message) {
  const Status written = writer.write({.source = message.source,
                                       .sequence = message.sequence,
                                       .lost_before = message.lost_before,
                                       .time = message.time,
                                       .header = std::as_bytes(std::span(message.header)),
                                       .payload = std::as_bytes(std::span(message.payload))});
  ASSERT_TRUE(written) << written.error().message();
}

// Messages up to the end, or to what cannot be read.
std::vector<Message> read_from(RecordingReader& reader) {
  std::vector<Message> messages;
  while (true) {
    const auto message = reader.next();
    if (!message || !*message) return messages;
    messages.push_back(copy_of(**message));
  }
}

std::vector<Message> read_all_of(const std::string& path) {
  auto reader = RecordingReader::open(path);
  return reader ? read_from(*reader) : std::vector<Message>();
}

class RecordingFile : public ::testing::Test {
 protected:
  // Two publishers of two topics, messages of many sizes, in order.
  void make(bool finish = true) {
    auto writer = RecordingWriter::open(path_, Existing::refuse).value();
    ASSERT_EQ(writer.source({.topic = "shm://camera", .publisher = 7, .name = "front", .type = type_}).value(), 0U);
    ASSERT_EQ(writer.source({.topic = "zmq+ipc:///tmp/feed"}).value(), 1U);
    for (const Message& message : messages_) write_message(writer, message);
    if (finish) {
      ASSERT_TRUE(writer.finish());
    }
  }
  void copy(std::uint64_t size) const {
    std::filesystem::copy_file(path_, changed_, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(changed_, size);
  }
  [[nodiscard]] bool is_beginning(const std::vector<Message>& read) const {
    return read.size() <= messages_.size() && std::equal(read.begin(), read.end(), messages_.begin());
  }

  const TypeInfo type_{.name = "Image", .size = 640, .alignment = 8, .fingerprint = ~std::uint64_t{0}};
  const std::vector<Message> messages_{
      {.source = 0, .sequence = 4, .time = 100, .payload = "one"},
      {.source = 1, .sequence = unknown_sequence, .time = 101},
      {.source = 0, .sequence = 9, .lost_before = 4, .time = 90, .header = "head", .payload = std::string(70, 'x')},
      {.source = 0, .sequence = 10, .time = 200, .header = "only a header"}};
  PrivateRoot root_;
  std::string path_ = root_.path() + "/recording";
  std::string changed_ = root_.path() + "/changed";
};

TEST_F(RecordingFile, GivesBackWhatWasWritten) {
  make();
  auto reader = RecordingReader::open(path_).value();
  EXPECT_EQ(read_from(reader), messages_);
  const Summary& summary = reader.summary();
  EXPECT_TRUE(summary.is_complete);
  EXPECT_EQ(summary.messages(), 4U);
  EXPECT_EQ(summary.first, 90);
  EXPECT_EQ(summary.last, 200);
  EXPECT_EQ(summary.sources[0].name, "front");
  EXPECT_EQ(summary.sources[0].type, type_);
  EXPECT_EQ(summary.sources[0].lost, 4U);
  EXPECT_EQ(summary.sources[0].missing, 0U);
  EXPECT_EQ(summary.sources[1].topic, "zmq+ipc:///tmp/feed");
  EXPECT_EQ(summary.sources[1].messages, 1U);
}

TEST_F(RecordingFile, SaysTheSameWithAndWithoutItsIndex) {
  make();
  const Summary indexed = RecordingReader::open(path_).value().summary();
  copy(indexed.end);
  const Summary scanned = RecordingReader::open(changed_).value().summary();
  EXPECT_FALSE(scanned.is_complete);
  EXPECT_FALSE(scanned.is_damaged);
  EXPECT_EQ(encode_index(scanned), encode_index(indexed));
}

TEST_F(RecordingFile, CutAtAnyByteIsReadableUpToItsLastWholeMessageAndContinued) {
  make();
  const auto whole = std::filesystem::file_size(path_);
  std::size_t fewest = messages_.size();
  for (auto size = whole - 1; size >= sizeof(FileHead); --size) {
    copy(size);
    const std::vector<Message> read = read_all_of(changed_);
    ASSERT_TRUE(is_beginning(read)) << size;
    ASSERT_LE(read.size(), fewest) << size;
    fewest = read.size();
    auto writer = RecordingWriter::open(changed_, Existing::append);
    ASSERT_TRUE(writer) << size << ": " << writer.error().message();
    const auto source = writer->source({.topic = "shm://camera", .publisher = 8});
    write_message(*writer, {.source = *source, .sequence = 0, .time = 300, .payload = "more"});
    ASSERT_TRUE(writer->finish());
    const auto reader = RecordingReader::open(changed_);
    ASSERT_TRUE(reader->summary().is_complete) << size;
    ASSERT_EQ(reader->summary().messages(), read.size() + 1) << size;
    ASSERT_EQ(read_all_of(changed_).back().payload, "more") << size;
  }
  EXPECT_EQ(fewest, 0U);
  copy(sizeof(FileHead) - 1);
  EXPECT_EQ(RecordingReader::open(changed_).error().code(), ErrorCode::corrupt);
}

TEST_F(RecordingFile, ByteThatChangedIsFoundAndAllBeforeItIsReadable) {
  make();
  std::ifstream file(path_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  const std::uint64_t end = RecordingReader::open(path_)->summary().end;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    std::ofstream(changed_, std::ios::binary) << damaged;
    auto reader = RecordingReader::open(changed_);
    if (at < sizeof(FileHead)) {
      ASSERT_FALSE(reader) << at;
      continue;
    }
    ASSERT_TRUE(reader) << at;
    const std::vector<Message> read = read_from(*reader);
    ASSERT_TRUE(is_beginning(read)) << at;
    if (at >= end) {
      ASSERT_EQ(read.size(), messages_.size()) << "the index is not needed: " << at;
    } else {
      ASSERT_LT(read.size(), messages_.size()) << at;
    }
  }
}

TEST_F(RecordingFile, DamagedOneIsNotContinuedSinceThatWouldEraseWhatIsBehindTheDamage) {
  make(false);
  const auto size = std::filesystem::file_size(path_);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(sizeof(FileHead) + sizeof(FrameHead) + 3);
  file.put('!');
  file.close();
  const auto writer = RecordingWriter::open(path_, Existing::append);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(writer.error().message(), HasSubstr("damaged at byte 16"));
  EXPECT_EQ(std::filesystem::file_size(path_), size);
}

TEST_F(RecordingFile, OneWhoseFrameClaimsToBeLongerThanTheFileIsDamagedIfFramesLieBehindIt) {
  make(false);
  const auto size = std::filesystem::file_size(path_);
  std::vector<std::byte> content;
  const shm::File file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  std::uint64_t first = sizeof(FileHead);
  for (int source = 0; source < 2; ++source) first = read_frame(file, first, content).end;
  for (std::size_t byte = 0; byte < sizeof(FrameHead::size); ++byte) {
    copy(size);
    std::fstream changed(changed_, std::ios::in | std::ios::out | std::ios::binary);
    const auto place = static_cast<std::streamoff>(first + offsetof(FrameHead, size) + byte);
    changed.seekg(place);
    const int was = changed.get();
    changed.seekp(place);
    changed.put(static_cast<char>(was ^ 0x40));
    changed.close();
    const auto writer = RecordingWriter::open(changed_, Existing::append);
    ASSERT_FALSE(writer) << byte;
    EXPECT_EQ(writer.error().code(), ErrorCode::corrupt) << byte;
    EXPECT_EQ(std::filesystem::file_size(changed_), size) << byte;
    EXPECT_TRUE(RecordingReader::open(changed_)->summary().is_damaged) << byte;
  }
}

TEST_F(RecordingFile, CountsWhatWasPublishedWhileNobodyRecorded) {
  make();
  auto writer = RecordingWriter::open(path_, Existing::append).value();
  write_message(writer, {.source = 0, .sequence = 20, .lost_before = 2, .time = 300});
  EXPECT_EQ(writer.summary().missing(), 7U);  // 11 … 17; 18 and 19 were announced
  EXPECT_EQ(writer.summary().lost(), 6U);
}

TEST_F(RecordingFile, IsWrittenByOneRecorderAtATime) {
  const auto writer = RecordingWriter::open(path_, Existing::refuse);
  ASSERT_TRUE(writer);
  const auto second = RecordingWriter::open(path_, Existing::append);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::name_taken);
  EXPECT_EQ(RecordingWriter::open(path_, Existing::refuse).error().code(), ErrorCode::name_taken);
}

TEST_F(RecordingFile, OfAnotherVersionIsRefusedByName) {
  FileHead other = file_head;
  other.version = 2;
  std::ofstream(path_, std::ios::binary).write(reinterpret_cast<const char*>(&other), sizeof(other));
  const auto reader = RecordingReader::open(path_);
  EXPECT_EQ(reader.error().code(), ErrorCode::incompatible);
  EXPECT_THAT(reader.error().message(), HasSubstr("version 2"));
  EXPECT_EQ(RecordingWriter::open(path_, Existing::append).error().code(), ErrorCode::incompatible);
}

TEST_F(RecordingFile, SeekPassesOverOlderMessagesAndNoOthers) {
  auto writer = RecordingWriter::open(path_, Existing::refuse).value();
  (void)writer.source({.topic = "shm://camera"});
  const std::string payload(4U << 20U, 'x');
  for (std::int64_t message = 0; message < 12; ++message) {
    // The sixth comes late.
    write_message(writer, {.sequence = unknown_sequence, .time = message == 6 ? 15 : 10 * message, .payload = payload});
  }
  ASSERT_TRUE(writer.finish());
  auto reader = RecordingReader::open(path_).value();
  EXPECT_GT(reader.summary().places.size(), 2U);
  for (std::int64_t time = 0; time <= 110; time += 5) {
    reader.seek(time);
    std::vector<std::int64_t> times;
    for (const Message& message : read_from(reader)) {
      if (message.time >= time) times.push_back(message.time);
    }
    std::vector<std::int64_t> expected;
    for (std::int64_t message = 0; message < 12; ++message) {
      if (const std::int64_t at = message == 6 ? 15 : 10 * message; at >= time) expected.push_back(at);
    }
    EXPECT_EQ(times, expected) << time;
  }
  reader.seek(110);
  EXPECT_LT(read_from(reader).size(), 6U) << "it did not go by the index";
}

TEST_F(RecordingFile, WithoutRoomKeepsWhatItHasAndNoPieceOfTheRest) {
  auto writer = RecordingWriter::open(path_, Existing::refuse).value();
  (void)writer.source({.topic = "shm://camera"});
  write_message(writer, {.sequence = 0, .payload = std::string(5000, 'a')});
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{.rlim_cur = 10'000, .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string large(9000, 'b');
  const Status refused = writer.write({.sequence = 1, .payload = std::as_bytes(std::span(large))});
  const Status small = writer.write({.sequence = 2, .payload = std::as_bytes(std::span(large)).first(100)});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr("ulimit -f"));
  EXPECT_TRUE(small);
  const auto reader = RecordingReader::open(path_);
  EXPECT_EQ(reader->summary().messages(), 2U);
  EXPECT_EQ(reader->summary().surplus, 0U);
}

}  // namespace
}  // namespace weir::tool::testing
