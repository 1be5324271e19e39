// One end of an exchange of mixed sizes over the network: network_program publish|subscribe URI COUNT
#include <algorithm>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "transport/node.h"

namespace weir::zeromq {
namespace {

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

std::vector<std::byte> content(std::uint64_t number) {
  std::vector<std::byte> bytes(number * 7919 % 300'000);
  for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<std::byte>(number + at);
  return bytes;
}

void publish(Node& node, const std::string& uri, std::uint64_t count) {
  Publisher publisher = must(node.publisher(uri));
  must(publisher.wait_for_subscribers(1, never));
  for (std::uint64_t number = 0; number < count; ++number) must(publisher.send(content(number)));
}

void subscribe(Node& node, const std::string& uri, std::uint64_t count) {
  Subscriber subscriber = must(node.subscriber(uri));
  for (std::uint64_t number = 0; number < count;) {
    must(subscriber.wait(never));
    const Sample sample = must(subscriber.take());
    if (!sample) continue;
    const auto right = content(number);
    if (sample.sequence() != number || sample.lost_before() != 0 ||
        !std::equal(right.begin(), right.end(), sample.payload().begin(), sample.payload().end())) {
      throw std::runtime_error(fmt::format("message {} is wrong", number));
    }
    ++number;
  }
}

}  // namespace
}  // namespace weir::zeromq

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  try {
    if (words.size() != 3) throw std::runtime_error("usage: network_program publish|subscribe URI COUNT");
    weir::Node node = weir::zeromq::must(weir::Node::open());
    (words[0] == "publish" ? weir::zeromq::publish : weir::zeromq::subscribe)(node, words[1], std::stoull(words[2]));
    return 0;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "network_program: {}\n", thrown.what());
    return 1;
  }
}
