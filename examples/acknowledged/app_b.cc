// App B: receives the messages of App A, prints them, and acknowledges each; ends with END.
//
//   app_b shm://infos
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "adapters/protobuf/proto_publisher.h"
#include "adapters/protobuf/proto_subscriber.h"
#include "examples/acknowledged/acknowledgement.pb.h"
#include "examples/acknowledged/info.pb.h"
#include "examples/acknowledged/way_back.h"

namespace {

using namespace std::chrono_literals;
using weir::protobuf::ProtoPublisher;
using weir::protobuf::ProtoSubscriber;

constexpr auto patience = 30s;

int fail(const weir::Error& error) {
  fmt::print(stderr, "app_b: {}\n", error.message());
  return EXIT_FAILURE;
}

bool is_end(const weir::Sample& sample) {
  return std::string_view(reinterpret_cast<const char*>(sample.payload().data()), sample.payload().size()) == "END";
}

void print(const Info& info) {
  fmt::print("Receiving id: {} date: {}", info.id(), info.date());
  for (const Info::Message& message : info.messages()) {
    fmt::print("  Type: {} Message: {}", static_cast<int>(message.type()), message.text());
  }
  fmt::print("\n");
}

weir::Status acknowledge(ProtoPublisher<Acknowledgement>& answers, Acknowledgement::Of of, int id) {
  Acknowledgement answer;
  answer.set_subscriber(::getpid());
  answer.set_of(of);
  answer.set_id(id);
  return answers.send(answer).map([](std::uint64_t) {});
}

// The next sample, waited for.
weir::Result<weir::Sample> next(weir::Subscriber& subscriber) {
  const weir::Deadline deadline = weir::after(patience);
  while (true) {
    auto sample = subscriber.take();
    if (!sample || *sample) return sample;
    const auto wake = subscriber.wait(deadline);
    if (!wake) return tl::unexpected(wake.error());
    if (*wake != weir::Wake::ready) {
      return weir::failure(weir::ErrorCode::timed_out, fmt::format("App A has sent nothing for {}", patience));
    }
  }
}

// Receives until END. How many there were.
weir::Result<int> receive(ProtoSubscriber<Info>& subscriber, ProtoPublisher<Acknowledgement>& answers) {
  Info info;
  for (int updates = 0;; ++updates) {
    const auto sample = next(subscriber.untyped());
    if (!sample) return tl::unexpected(sample.error());
    if (is_end(*sample)) return updates;
    if (auto parsed = weir::protobuf::parse(*sample, info); !parsed) return tl::unexpected(parsed.error());
    print(info);
    if (auto sent = acknowledge(answers, Acknowledgement::INFO, info.id()); !sent) return tl::unexpected(sent.error());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return fail({weir::ErrorCode::invalid_argument, "usage: app_b URI"});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto node = weir::Node::open();
  if (!node) return fail(node.error());
  const auto back = weir::acknowledged::way_back(arguments[1]);
  if (!back) return fail(back.error());
  // First the subscriber, so that it is there when App A hears of it.
  auto subscriber = ProtoSubscriber<Info>::open(*node, arguments[1]);
  if (!subscriber) return fail(subscriber.error());
  auto answers = ProtoPublisher<Acknowledgement>::open(*node, *back);
  if (!answers) return fail(answers.error());
  if (auto heard = answers->untyped().wait_for_subscribers(1, weir::after(patience)); !heard)
    return fail(heard.error());
  if (auto sent = acknowledge(*answers, Acknowledgement::START, 0); !sent) return fail(sent.error());

  const auto updates = receive(*subscriber, *answers);
  if (!updates) return fail(updates.error());
  if (auto sent = acknowledge(*answers, Acknowledgement::END, *updates); !sent) return fail(sent.error());
  fmt::print("Received {} updates\n", *updates);
  return EXIT_SUCCESS;
}
