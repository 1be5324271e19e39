// Part two of docs/claims.md: what iceoryx promises, against what is measured when processes and RouDi are killed.
//
//   bazel run //docs/claims:iceoryx_claims_test -- --rewrite $PWD/docs/claims.md
//
// Measures, and compares the verdicts of the page with what it has measured; --rewrite writes the part anew, with the
// figures of that run. Figures are not compared.
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "adapters/iceoryx/testing/program.h"
#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view begin_mark = "<!-- part two: iceoryx -->\n";
constexpr std::string_view end_mark = "<!-- end of part two -->\n";
constexpr const char* peer = "adapters/iceoryx/peer";
constexpr const char* native_publisher = "adapters/iceoryx/native_iceoptions_publisher";
constexpr const char* native_subscriber = "adapters/iceoryx/native_icedelivery_subscriber";

std::string page;  // its path
bool rewrites_it = false;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Figures are of one run: "(this run: 1520 ms)".
std::string without_figures(const std::string& text) {
  return std::regex_replace(text, std::regex(" \\(this run: [^)]*\\)"), "");
}

class Claims : public RoudiTest {
 protected:
  // Few: whoever holds them is felt at once.
  std::vector<Pool> pools() const override { return {{.payload = 256, .count = 24}}; }
  bool monitors() const override { return true; }
};

struct KilledSubscriber {
  bool others_were_refused = false;
  std::chrono::milliseconds until_recovery{};
};

// That it can lend more than a dead publisher may have had.
bool lends_again(Publisher& publisher) {
  std::vector<Loan> loans;
  for (auto loan = publisher.loan(100); loan && loans.size() < 4; loan = publisher.loan(100)) {
    loans.push_back(std::move(*loan));
  }
  return loans.size() == 4;
}

// It holds nearly all chunks; a publisher on another topic has nothing to do with it.
KilledSubscriber kill_a_subscriber(Node& node) {
  KilledSubscriber found;
  Publisher source = must(node.publisher("iceoryx://Claims/Are/Held"), "publisher");
  Publisher stranger = must(node.publisher("iceoryx://Claims/Are/Elsewhere"), "publisher");
  Program victim(peer, {"subscribe", "iceoryx://Claims/Are/Held?depth=64", "64"});
  victim.expect("ready");
  must(source.wait_for_subscribers(1, after(patience)), "subscriber");
  // What the peer checks.
  const auto send = [&](std::uint64_t number) {
    std::array<std::uint64_t, 16> content{};
    content.fill(~number);
    content[0] = number;
    return source.send(std::as_bytes(std::span(content)));
  };
  for (std::uint64_t number = 0; send(number); ++number) {
  }
  victim.kill();
  const auto killed = Clock::now();
  found.others_were_refused = !stranger.loan(100);
  while (!lends_again(stranger) && Clock::now() - killed < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  found.until_recovery = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - killed);
  return found;
}

struct KilledPublisher {
  std::uint64_t unread = 0;
  std::uint64_t survived = 0;
  bool was_announced = false;
};

KilledPublisher kill_a_publisher(Subscriber& subscriber) {
  KilledPublisher found;
  Program victim(peer, {"publish", "iceoryx://Claims/Are/Unread", "1000"});
  victim.expect("ready");
  // From the peer's second word on, 200 ms later, more are out than the queue holds.
  victim.expect("at 0");
  victim.expect("at ");
  victim.kill_asleep();
  found.unread = 8;
  while (must(subscriber.take(), "take")) ++found.survived;
  return found;
}

struct KilledRoudi {
  bool connected_go_on = false;
  bool newcomers_are_served = false;
  bool old_meet_new = false;
  bool weir_is_told = false;
};

class ThePage : public Claims {
 protected:
  KilledRoudi kill_roudi() {
    KilledRoudi found;
    Program sink(native_subscriber);
    Program source(native_publisher);
    sink.expect("got value: 1");
    Subscriber ours = subscriber("iceoryx://Claims/Are/Ours");
    roudi_.reset();
    // Values that were sent when RouDi was gone.
    source.expect("sent value: ");
    const std::string last = source.expect("sent value: ");
    sink.expect("got value: " + last.substr(last.rfind(' ') + 1));
    found.connected_go_on = true;
    const auto wake = ours.wait(after(patience));
    found.weir_is_told = !wake && wake.error().code() == ErrorCode::unavailable;
    const auto late = must(Node::open(), "node").subscriber("iceoryx://Radar/FrontLeft/Object");
    found.newcomers_are_served = late.has_value();
    { const Subscriber closed = std::move(ours); }
    start_roudi();
    Subscriber fresh = subscriber("iceoryx://Radar/FrontLeft/Object?history=1");
    source.expect("sent value: ");
    source.expect("sent value: ");
    found.old_meet_new = must(fresh.take(), "take").operator bool();
    source.kill();
    sink.kill();
    return found;
  }
};

std::string write_part(const KilledSubscriber& subscriber, const KilledPublisher& publisher, const KilledRoudi& roudi) {
  std::string text = R"(## Part two: iceoryx's promises against SIGKILL

iceoryx 2.0.3 is zero-copy, and promises that "monitoring" frees what a crashed process had. What that is worth was
measured with native programs and weir's adapter, on one RouDi. The test `//docs/claims:iceoryx_claims_test` measures it
anew and compares these verdicts; the durations are those of the run that wrote the page.

| what one would like to believe | it is so |
| --- | --- |
)";
  text += fmt::format("| A subscriber that is killed costs nobody anything. | {} (this run: {} ms) |\n",
                      subscriber.others_were_refused ? "no: what it held is missing to every publisher on the machine, "
                                                       "also of other topics, until RouDi misses its "
                                                       "keep-alive"
                                                     : "yes",
                      subscriber.until_recovery.count());
  text += fmt::format(
      "| What a killed publisher had published is not lost. | {} (this run: {} of {}) |\n",
      publisher.survived == publisher.unread ? "yes: what lies in subscribers' queues stays readable" : "no",
      publisher.survived, publisher.unread);
  text += fmt::format("| Subscribers learn that their publisher died. | {} |\n",
                      publisher.was_announced ? "yes" : "no: it is silent, as one that has nothing to say");
  text += fmt::format("| Without RouDi those who are connected go on. | {} |\n",
                      roudi.connected_go_on ? "yes: natively, as if nothing were; nobody is told" : "no");
  text += fmt::format("| Without RouDi one can still join. | {} |\n",
                      roudi.newcomers_are_served ? "yes"
                                                 : "no: natively the program waits for a minute and aborts; weir "
                                                   "returns `unavailable` at once");
  text += fmt::format("| A RouDi that is restarted takes over. | {} |\n",
                      roudi.old_meet_new ? "yes" : "no: old processes and new ones never meet");
  text += fmt::format("| weir's adapter tells its user that RouDi is gone. | {} |\n",
                      roudi.weir_is_told ? "yes: every call returns `unavailable`, within the time that "
                                           "[its page](iceoryx.md) states"
                                         : "no");
  text += R"(
Not in the table, as it is a matter of luck: a publisher that is killed while it publishes may hold a mutex that RouDi
then waits for, for ever. `//adapters/iceoryx:fifty_kills_test` (and `kills_test`, six) kills processes and counts how often RouDi had to be started
anew; upstream knows it as eclipse-iceoryx/iceoryx issues 325, 779, 1546, 2193 and 2304.
)";
  return text;
}

TEST_F(ThePage, SaysWhatIsMeasured) {
  std::optional<Subscriber> unread = this->subscriber("iceoryx://Claims/Are/Unread?depth=8");
  KilledPublisher publisher = kill_a_publisher(*unread);
  const KilledSubscriber subscriber = kill_a_subscriber(node());
  EXPECT_LT(subscriber.until_recovery, patience) << "no recovery";
  // RouDi has taken one for dead that came after the publisher had gone, and so has taken the publisher for dead.
  publisher.was_announced = must(unread->wait(at_once), "wait") == Wake::ready;
  unread.reset();
  const std::string measured = write_part(subscriber, publisher, kill_roudi());
  std::string text = content_of(page);
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << page << " lacks the marks of part two";
  const std::size_t first = begin + begin_mark.size();
  if (rewrites_it) {
    text.replace(first, end - first, measured);
    std::ofstream(page) << text;
    return;
  }
  EXPECT_EQ(without_figures(text.substr(first, end - first)), without_figures(measured))
      << "rewrite the part: bazel run //docs/claims:iceoryx_claims_test -- --rewrite $PWD/docs/claims.md";
}

// roudi_test_main.cc leaves the arguments that GoogleTest does not know.
[[maybe_unused]] const bool arguments_are_read = [] {
  std::ifstream line("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(line, word, '\0');) words.push_back(word);
  for (std::size_t at = 1; at < words.size(); ++at) {
    if (words[at] == "--rewrite") rewrites_it = true;
    if (words[at].ends_with("claims.md")) page = words[at];
  }
  return true;
}();

}  // namespace
}  // namespace weir::iceoryx
