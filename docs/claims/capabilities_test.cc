// docs/capabilities.md says what each backend promises. It is written from what the backends say of themselves:
//
//   bazel run //docs/claims:capabilities_test -- --rewrite $PWD/docs/capabilities.md
//
// and compared with that otherwise. The conformance suite holds the backends to it.
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "transport/node.h"

namespace weir {
namespace {

std::string page;      // to be compared
std::string new_page;  // to be written, if any

struct Column {
  std::string_view title;
  std::string_view endpoint;
};

constexpr std::array<Column, 6> columns{{{"`shm://`", "shm://topic"},
                                         {"`inproc://`", "inproc://topic"},
                                         {"`iceoryx://`", "iceoryx://service/instance/event"},
                                         {"`zmq+…://`", "zmq+ipc://@topic"},
                                         {"`…?frames=topic`", "zmq+ipc://@topic?frames=topic"},
                                         {"`…?envelope=1`", "zmq+ipc://@topic?envelope=1"}}};

struct Row {
  std::string_view promise;
  std::string (*value)(const Capabilities& of);
};

std::string mark(bool promised) { return promised ? "yes" : "–"; }
std::string limit(std::uint64_t most) { return most == unlimited ? "any" : most == 0 ? "–" : fmt::format("{}", most); }
std::string view(MembershipView membership) {
  switch (membership) {
    case MembershipView::none:
      return "nothing";
    case MembershipView::any_or_none:
      return "whether any";
    case MembershipView::subscriptions:
      return "how many";
    case MembershipView::full:
      return "who, with events";
  }
  return {};
}

const std::vector<Row> rows{
    {"a sample is the publisher's own memory (over `shm://` above 64 bytes, or with a user header)",
     [](const Capabilities& of) { return mark(of.zero_copy); }},
    {"peers may be other processes", [](const Capabilities& of) { return mark(of.across_processes); }},
    {"samples carry a sequence number", [](const Capabilities& of) { return mark(of.sequence); }},
    {"losses are counted exactly", [](const Capabilities& of) { return mark(of.exact_loss); }},
    {"samples carry the time of their publication", [](const Capabilities& of) { return mark(of.publish_time); }},
    {"user headers", [](const Capabilities& of) { return mark(of.user_header); }},
    {"a type mismatch is an error at join", [](const Capabilities& of) { return mark(of.types); }},
    {"slow subscriber: drop the oldest", [](const Capabilities& of) { return mark(of.drop_oldest); }},
    {"slow subscriber: drop the newest", [](const Capabilities& of) { return mark(of.drop_newest); }},
    {"lossless, the publisher blocks", [](const Capabilities& of) { return mark(of.lossless_block); }},
    {"lossless, the publisher is refused", [](const Capabilities& of) { return mark(of.lossless_reject); }},
    {"pairs that do not fit are an error at join", [](const Capabilities& of) { return mark(of.negotiates_policy); }},
    {"`depth` is exact, not a lower bound", [](const Capabilities& of) { return mark(of.exact_depth); }},
    {"what was published survives its publisher", [](const Capabilities& of) { return mark(of.survives_publisher); }},
    {"persistent topics", [](const Capabilities& of) { return mark(of.persistence); }},
    {"what the dead had in hand is told", [](const Capabilities& of) { return mark(of.in_hand_list); }},
    {"deaths are events", [](const Capabilities& of) { return mark(of.death_events); }},
    {"topics can be listed", [](const Capabilities& of) { return mark(of.lists_topics); }},
    {"`wait_until_taken`", [](const Capabilities& of) { return mark(of.acknowledgement); }},
    {"a publisher knows of its subscribers", [](const Capabilities& of) { return view(of.membership); }},
    {"largest `depth`", [](const Capabilities& of) { return limit(of.max_depth); }},
    {"largest `history`", [](const Capabilities& of) { return limit(of.max_history); }},
    {"largest user header, bytes", [](const Capabilities& of) { return limit(of.max_header); }},
    {"most open loans of a publisher", [](const Capabilities& of) { return limit(of.max_loans); }},
    {"most samples in a subscriber's hand", [](const Capabilities& of) { return limit(of.max_held); }},
};

std::string write_page() {
  const auto node = Node::open();
  if (!node) throw std::runtime_error(node.error().message());
  std::string text =
      "# What each backend promises\n\n"
      "`Node::capabilities(uri)` as a table. What is not promised is refused with `unsupported`; [the conformance "
      "suite](conformance.md)\nholds every backend to both. A test compares this page with the backends.\n\n|";
  std::string line = "\n| ---";
  std::vector<Capabilities> promised;
  for (const Column& column : columns) {
    text += fmt::format(" | {}", column.title);
    line += " | ---";
    const auto capabilities = node->capabilities(column.endpoint);
    if (!capabilities) throw std::runtime_error(capabilities.error().message());
    promised.push_back(*capabilities);
  }
  text += " |" + line + " |\n";
  for (const Row& row : rows) {
    text += fmt::format("| {} |", row.promise);
    for (const Capabilities& of : promised) text += fmt::format(" {} |", row.value(of));
    text += '\n';
  }
  return text;
}

TEST(Capabilities, ThePageSaysWhatTheBackendsPromise) {
  const std::string written = write_page();
  if (!new_page.empty()) {
    std::ofstream(new_page) << written;
    return;
  }
  std::ifstream file(page);
  const std::string there{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(there, written) << "write it anew with --rewrite (see the top of this file)";
}

}  // namespace
}  // namespace weir

int main(int count, char** words) {
  ::testing::InitGoogleTest(&count, words);
  const std::vector<std::string> arguments(words + 1, words + count);
  const bool rewrites = arguments.size() == 3 && arguments[1] == "--rewrite";
  if (arguments.size() != 1 && !rewrites) {
    fmt::print(stderr, "usage: capabilities_test PAGE | PAGE --rewrite FILE\n");
    return 2;
  }
  weir::page = arguments[0];
  if (rewrites) weir::new_page = arguments[2];
  return RUN_ALL_TESTS();
}
