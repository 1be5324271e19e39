// Publishes Protobuf messages over shm, so that a tool can count what one takes: serialised into a string and sent, or
// straight into the loan.
//
//   cost_driver string|loan MESSAGES SIZE
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/protobuf/testing/sender.h"

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  try {
    if (words.size() != 3) throw std::runtime_error("usage: cost_driver string|loan MESSAGES SIZE");
    weir::protobuf::testing::Sender sender(std::stoull(words[2]));
    const std::uint64_t messages = std::stoull(words[1]);
    for (std::uint64_t message = 0; message < messages; ++message) {
      words[0] == "string" ? sender.by_string() : sender.straight();
    }
    return 0;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "cost_driver: {}\n", thrown.what());
    return 1;
  }
}
