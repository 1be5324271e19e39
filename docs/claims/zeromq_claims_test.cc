// Part one of docs/claims.md: what a well-known text says of ZeroMQ's ipc://, what is so, and the same over shm://.
//
//   bazel run //docs/claims:zeromq_claims_test -- --rewrite $PWD/docs/claims.md
//
// Measures, and compares the verdicts of the page with what it has measured; --rewrite writes the part anew, with the
// figures of that run. Figures are not compared.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"
#include "docs/claims/part.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

constexpr std::uint64_t mebibyte = 1U << 20U;
constexpr std::string_view begin_mark = "<!-- part one: ZeroMQ -->\n";
constexpr std::string_view end_mark = "<!-- end of part one -->\n";

std::string page;  // its path
bool rewrites_it = false;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What strace saw of one process.
struct Trace {
  bool unix_socket = false;
  bool inet_socket = false;
  std::uint64_t bytes = 0;  // sent or received through sockets
};

Trace read_trace(const std::string& path) {
  Trace trace;
  std::istringstream lines(content_of(path));
  for (std::string line; std::getline(lines, line);) {
    trace.unix_socket = trace.unix_socket || line.find("socket(AF_UNIX, SOCK_STREAM") != std::string::npos;
    trace.inet_socket = trace.inet_socket || line.find("socket(AF_INET") != std::string::npos;
    const bool transfers =
        line.find("sendto(") != std::string::npos || line.find("recvfrom(") != std::string::npos ||
        line.find("sendmsg(") != std::string::npos || line.find("recvmsg(") != std::string::npos ||
        (line.find("resumed>") != std::string::npos && line.find("= ") != std::string::npos &&
         (line.find("... sendto") != std::string::npos || line.find("... recvfrom") != std::string::npos));
    const std::size_t result = line.rfind(" = ");
    if (transfers && result != std::string::npos && line[result + 3] != '-' && line[result + 3] != '?') {
      trace.bytes += std::stoull(line.substr(result + 3));
    }
  }
  return trace;
}

// Both ends of an exchange, of which the subscriber takes nothing until it is told to.
class Exchange {
 public:
  Exchange(const ShortDirectory& directory, const std::string& by, const std::string& where, std::uint64_t count,
           std::size_t size, bool traced)
      : directory_(directory) {
    const auto words = [&](const std::string& role) {
      std::vector<std::string> all;
      if (traced) {
        all = {"strace", "-f", "-qq", "-e",       "trace=socket,sendto,sendmsg,recvfrom,recvmsg",
               "-s",     "0",  "-o",  trace(role)};
      }
      const std::vector<std::string> own{data_file("docs/claims/exchange_program"), by, role, where,
                                         std::to_string(count)};
      all.insert(all.end(), own.begin(), own.end());
      if (role == "publish") all.push_back(std::to_string(size));
      return all;
    };
    subscriber_ = std::make_unique<Program>(words("subscribe"));
    if (subscriber_->read_line() != "ready") throw std::runtime_error("the subscriber does not start");
    publisher_ = std::make_unique<Program>(words("publish"));
    if (publisher_->read_line() != "sent") throw std::runtime_error("the publisher does not send");
  }

  std::uint64_t receive() {
    subscriber_->write_line("go");
    return std::stoull(subscriber_->read_line());
  }
  void end() {
    for (Program* program : {publisher_.get(), subscriber_.get()}) {
      program->end_input();
      if (const std::string how = program->wait(); !how.empty()) throw std::runtime_error("a program " + how);
    }
  }
  // SIGKILL to the publisher, seen to its end.
  void kill_publisher() {
    publisher_->kill();
    static_cast<void>(publisher_->wait());
  }
  [[nodiscard]] std::string trace(const std::string& role) const { return directory_.path(role + ".strace"); }
  [[nodiscard]] std::vector<std::string> maps() const {
    return {content_of(fmt::format("/proc/{}/maps", publisher_->process())),
            content_of(fmt::format("/proc/{}/maps", subscriber_->process()))};
  }

 private:
  const ShortDirectory& directory_;
  std::unique_ptr<Program> subscriber_;
  std::unique_ptr<Program> publisher_;
};

// All that is measured of one transport.
struct Findings {
  bool maps_shared_files = false;  // both processes map a file of the topic
  bool uses_unix_stream = false;
  bool uses_network = false;
  double sent_through_kernel = 0;  // bytes for each byte of payload
  double received_through_kernel = 0;
  std::uint64_t unread = 0;    // when the publisher was killed
  std::uint64_t survived = 0;  // of them
  bool named_file_is_empty_socket = false;
  std::uint64_t found_by_newcomer = 0;
};

Findings measure(const std::string& by, const std::string& path, const std::string& where,
                 const std::string& newcomers_where) {
  constexpr std::uint64_t large = 16;
  constexpr std::uint64_t many = 2000;
  const ShortDirectory directory;
  Findings found;
  {
    Exchange exchange(directory, by, where, large, mebibyte, true);
    EXPECT_EQ(exchange.receive(), large);
    exchange.end();
    const Trace sent = read_trace(exchange.trace("publish"));
    const Trace received = read_trace(exchange.trace("subscribe"));
    found.uses_unix_stream = sent.unix_socket && received.unix_socket;
    found.uses_network = sent.inet_socket || received.inet_socket;
    found.sent_through_kernel = static_cast<double>(sent.bytes) / static_cast<double>(large * mebibyte);
    found.received_through_kernel = static_cast<double>(received.bytes) / static_cast<double>(large * mebibyte);
  }
  {
    // Twice as many as a queue of ZeroMQ's holds by default; over shm the subscriber asks for room for all.
    Exchange exchange(directory, by, where, many, 1024, false);
    const auto maps = exchange.maps();
    found.maps_shared_files = std::all_of(maps.begin(), maps.end(), [&](const std::string& all) {
      std::istringstream lines(all);
      for (std::string line; std::getline(lines, line);) {
        if (line.find(path) != std::string::npos) return true;
      }
      return false;
    });
    exchange.kill_publisher();
    found.unread = many;
    found.survived = exchange.receive();
    struct stat file {};
    found.named_file_is_empty_socket = lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) && file.st_size == 0;
  }
  Program newcomer({data_file("docs/claims/exchange_program"), by, "subscribe", newcomers_where, std::to_string(many)});
  EXPECT_EQ(newcomer.read_line(), "ready");
  newcomer.write_line("go");
  found.found_by_newcomer = std::stoull(newcomer.read_line());
  return found;
}

std::string yes(bool is_so) { return is_so ? "yes" : "no"; }

// The verdicts, which the page must have as they are measured, and the figures of this run.
std::string write_part(const Findings& ipc, const Findings& shm) {
  const auto through_kernel = [](const Findings& found) {
    return found.sent_through_kernel >= 1 && found.received_through_kernel >= 1
               ? "no: every byte of payload goes into the kernel and out of it again"
           : found.sent_through_kernel + found.received_through_kernel < 0.01 ? "yes: no payload goes through it"
                                                                              : "in part";
  };
  const auto survives = [](const Findings& found) {
    return found.survived == found.unread ? "yes: all of it" : "no: most of it is gone";
  };
  std::string text = R"(## Part one: "`ipc://` is memory-mapped, near zero-copy, and persists after a crash"

So says a text that many have read. The same exchange was run over native ZeroMQ on `ipc://`, and over `shm://`, with
`strace`, `/proc` and SIGKILL beside it. The test `//docs/claims:zeromq_claims_test` measures it anew and compares these
verdicts.

| what is believed of `ipc://` | of `ipc://` it is so | over `shm://` |
| --- | --- | --- |
)";
  text += fmt::format("| Both processes map a file of the topic into their memory. | {} | {} |\n",
                      yes(ipc.maps_shared_files), yes(shm.maps_shared_files));
  text += fmt::format("| It is no socket. | {} | {} |\n",
                      ipc.uses_unix_stream ? "no: a Unix stream socket (`AF_UNIX`, `SOCK_STREAM`)" : "yes",
                      shm.uses_unix_stream ? "no" : "yes: none is opened");
  text += fmt::format("| It stays off the network. | {} | {} |\n", yes(!ipc.uses_network), yes(!shm.uses_network));
  text += fmt::format("| The kernel is out of the way of the data. | {} | {} |\n", through_kernel(ipc),
                      through_kernel(shm));
  text += fmt::format("| What is unread survives the SIGKILL of its publisher. | {} | {} |\n", survives(ipc),
                      survives(shm));
  text += fmt::format("| What is left at the path after a crash holds messages. | {} | {} |\n",
                      ipc.named_file_is_empty_socket ? "no: an empty socket file" : "yes",
                      shm.named_file_is_empty_socket ? "no" : "see the next line");
  text += fmt::format(
      "| Who comes after the crash still finds them. | {} | {} |\n", ipc.found_by_newcomer == 0 ? "no: nothing" : "yes",
      shm.found_by_newcomer == 0 ? "no: a volatile topic keeps nothing for strangers" : "yes, with `history`");
  text += fmt::format(R"(
Figures of one run (not compared): over `ipc://` {:.2f} bytes were sent and {:.2f} received through sockets for each byte
of payload, over `shm://` {:.4f} and {:.4f}. Of {} messages of 1 KiB that were unread when their publisher was killed,
{} arrived over `ipc://` and {} over `shm://`.
)",
                      ipc.sent_through_kernel, ipc.received_through_kernel, shm.sent_through_kernel,
                      shm.received_through_kernel, ipc.unread, ipc.survived, shm.survived);
  return text;
}

TEST(ClaimsOfZeroMq, ThePageSaysWhatIsMeasured) {
  const ShortDirectory directory;
  const Findings ipc = measure("zmq", directory.path("feed"), directory.ipc("feed"), directory.ipc("feed"));
  const std::string topic = fmt::format("shm://feed?root={}", directory.path("root"));
  const Findings shm = measure("weir", directory.path("root"), topic + "&depth=4000", topic + "&depth=4000");

  // What the page is about, whatever it says.
  EXPECT_TRUE(ipc.uses_unix_stream);
  EXPECT_FALSE(ipc.maps_shared_files);
  EXPECT_GE(ipc.sent_through_kernel, 1);
  EXPECT_LT(ipc.survived, ipc.unread);
  EXPECT_TRUE(shm.maps_shared_files);
  EXPECT_LT(shm.sent_through_kernel, 0.01);
  EXPECT_EQ(shm.survived, shm.unread);

  const std::string part = write_part(ipc, shm);
  fmt::print("{}\n", part);
  compare_or_rewrite(page, begin_mark, end_mark, part, rewrites_it);
}

}  // namespace
}  // namespace weir::zeromq

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty()) {
    fmt::print(stderr, "usage: zeromq_claims_test PAGE | PAGE --rewrite FILE\n");
    return 2;
  }
  weir::zeromq::page = words.back();
  weir::zeromq::rewrites_it = words.size() > 1;
  return RUN_ALL_TESTS();
}
