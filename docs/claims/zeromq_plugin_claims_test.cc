// Part three of docs/claims.md: what arrives of a killed publisher's messages, the same unmodified program over ipc://
// and, with libweir_zmq.so before it, over shm://.
//
//   bazel run //docs/claims:zeromq_plugin_claims_test -- --rewrite $PWD/docs/claims.md
//
// Compares the verdicts of the page with what it measures; --rewrite writes the part anew, with that run's figures.
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"
#include "docs/claims/part.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

constexpr std::string_view begin_mark = "<!-- part three: unmodified ZeroMQ programs over shm -->\n";
constexpr std::string_view end_mark = "<!-- end of part three -->\n";

std::string page;  // its path
bool rewrites_it = false;

// How many of these messages a subscriber that was busy finds after their publisher was killed.
std::uint64_t survivors(bool by_shm, std::uint64_t count, std::size_t size) {
  const ShortDirectory directory;
  const auto start = [&](const std::string& role) {
    std::vector<std::string> words{"/usr/bin/env", "WEIR_ROOT=" + directory.path("root")};
    if (by_shm) words.push_back("LD_PRELOAD=" + data_file("adapters/zeromq_plugin/libweir_zmq.so"));
    words.insert(words.end(), {data_file("docs/claims/exchange_program"), "zmq", role,
                               by_shm ? "shm://feed" : directory.ipc("feed"), std::to_string(count)});
    if (role == "publish") words.push_back(std::to_string(size));
    return words;
  };
  Program subscriber(start("subscribe"));
  if (subscriber.read_line() != "ready") throw std::runtime_error("the subscriber does not start");
  Program publisher(start("publish"));
  if (publisher.read_line() != "sent") throw std::runtime_error("the publisher does not send");
  publisher.kill();
  static_cast<void>(publisher.wait());
  subscriber.write_line("go");
  return std::stoull(subscriber.read_line());
}

struct Load {
  std::uint64_t count;
  std::size_t size;
};
constexpr std::array<Load, 3> loads{{{2000, 16}, {2000, 1024}, {300, 100'000}}};

std::string verdict(std::uint64_t survived, std::uint64_t sent) {
  return survived == sent ? "yes: all of them" : "no: many are gone";
}

std::string write_part(std::string& figures) {
  std::string text = R"(## Part three: unmodified ZeroMQ programs, their publisher killed

The same program over `ipc://`, and over `shm://` with [libweir_zmq.so](zeromq-plugin.md) before it: a publisher sends to a
subscriber that is busy, and gets a SIGKILL. The test `//docs/claims:zeromq_plugin_claims_test` measures it anew and
compares these verdicts.

| what was sent arrives | over `ipc://` | over `shm://` |
| --- | --- | --- |
)";
  for (const Load& load : loads) {
    const std::uint64_t by_ipc = survivors(false, load.count, load.size);
    const std::uint64_t by_shm = survivors(true, load.count, load.size);
    EXPECT_LT(by_ipc, load.count);
    EXPECT_EQ(by_shm, load.count);
    text += fmt::format("| {} messages of {} bytes | {} | {} |\n", load.count, load.size, verdict(by_ipc, load.count),
                        verdict(by_shm, load.count));
    figures += fmt::format("{}{} of {} and {}", figures.empty() ? "" : ", ", by_ipc, load.count, by_shm);
  }
  return text + fmt::format("\nFigures of one run, over `ipc://` and over `shm://` (not compared): {}.\n", figures);
}

TEST(ClaimsOfThePlugin, ThePageSaysWhatIsMeasured) {
  std::string figures;
  const std::string part = write_part(figures);
  fmt::print("{}\n", part);
  compare_or_rewrite(page, begin_mark, end_mark, part, rewrites_it);
}

}  // namespace
}  // namespace weir::zeromq

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty()) {
    fmt::print(stderr, "usage: zeromq_plugin_claims_test PAGE | PAGE --rewrite FILE\n");
    return 2;
  }
  weir::zeromq::page = words.back();
  weir::zeromq::rewrites_it = words.size() > 1;
  return RUN_ALL_TESTS();
}
