// App A: waits for ten subscribers, sends them ten Protobuf messages and then END, and knows what each has received,
// for each acknowledges it. App B is the subscriber.
//
//   app_a shm://infos
//   for i in 1 2 3 4 5 6 7 8 9 10; do app_b shm://infos & done
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

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

// We wait for 10 subscribers.
constexpr std::size_t subscribers_expected = 10;
constexpr int infos = 10;
constexpr auto patience = 30s;

int fail(const weir::Error& error) {
  fmt::print(stderr, "app_a: {}\n", error.message());
  return EXIT_FAILURE;
}

Info make_info(int id) {
  Info info;
  info.set_date("10.10.2023");
  info.set_id(id);
  Info::Message* const message = info.add_messages();
  message->set_text("Hello, weir & Protobuf!");
  message->set_type(Info::DEBUG);
  return info;
}

// Waits until all subscribers have acknowledged this.
weir::Status await(ProtoSubscriber<Acknowledgement>& answers, Acknowledgement::Of of, int id) {
  std::set<std::int64_t> heard;
  const weir::Deadline deadline = weir::after(patience);
  while (heard.size() < subscribers_expected) {
    const auto wake = answers.wait(deadline);
    if (!wake) return tl::unexpected(wake.error());
    if (*wake != weir::Wake::ready) {
      return weir::failure(weir::ErrorCode::timed_out,
                           fmt::format("{} of {} subscribers have acknowledged {} {} within {}: start them, or look "
                                       "what became of the others",
                                       heard.size(), subscribers_expected, Acknowledgement::Of_Name(of), id, patience));
    }
    while (heard.size() < subscribers_expected) {
      const auto answer = answers.take();
      if (!answer) return tl::unexpected(answer.error());
      if (!*answer) break;
      if ((*answer)->of() == of && (*answer)->id() == id) heard.insert((*answer)->subscriber());
    }
  }
  return {};
}

// What is published after this reaches all of them. Where the transport cannot count that far (iceoryx), the
// acknowledgements of their start have done so.
weir::Status await_subscribers(weir::Publisher& publisher, ProtoSubscriber<Acknowledgement>& answers) {
  return await(answers, Acknowledgement::START, 0).and_then([&]() -> weir::Status {
    auto counted = publisher.wait_for_subscribers(subscribers_expected, weir::after(patience));
    if (!counted && counted.error().code() == weir::ErrorCode::unsupported) {
      fmt::print("This transport does not count subscribers; they have said so themselves\n");
      return publisher.wait_for_subscribers(1, weir::after(patience));
    }
    return counted;
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return fail({weir::ErrorCode::invalid_argument, "usage: app_a URI"});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto node = weir::Node::open();
  if (!node) return fail(node.error());
  const auto back = weir::acknowledged::way_back(arguments[1]);
  if (!back) return fail(back.error());
  auto publisher = ProtoPublisher<Info>::open(*node, arguments[1]);
  if (!publisher) return fail(publisher.error());
  // After the publisher: who finds this side here finds the other too.
  auto answers = ProtoSubscriber<Acknowledgement>::open(*node, *back, {.depth = 64});
  if (!answers) return fail(answers.error());

  fmt::print("Waiting for {} subscribers\n", subscribers_expected);
  if (auto ready = await_subscribers(publisher->untyped(), *answers); !ready) return fail(ready.error());

  for (int id = 0; id < infos; ++id) {
    if (auto sent = publisher->send(make_info(id)); !sent) return fail(sent.error());
    if (auto taken = await(*answers, Acknowledgement::INFO, id); !taken) return fail(taken.error());
    fmt::print("Info {} was acknowledged by {} subscribers\n", id, subscribers_expected);
  }
  const std::string end = "END";
  if (auto sent = publisher->untyped().send(std::as_bytes(std::span(end))); !sent) return fail(sent.error());
  if (auto taken = await(*answers, Acknowledgement::END, infos); !taken) return fail(taken.error());
  fmt::print("END was acknowledged by {} subscribers, each with {} infos\n", subscribers_expected, infos);
  return EXIT_SUCCESS;
}
