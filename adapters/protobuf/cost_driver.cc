// Publishes Protobuf messages over shm, so that a tool can count what one takes: serialised into a string and sent, or
// straight into the loan.
//
//   cost_driver [string|loan MESSAGES SIZE]...
//
// The messages of each three words are one part of the program (adapters/testing/counted_part.h); what sets up and
// ends, and some messages that grow what is kept, are not in it.
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/protobuf/testing/sender.h"
#include "adapters/testing/counted_part.h"

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  try {
    if (words.size() % 3 != 0) throw std::runtime_error("usage: cost_driver [string|loan MESSAGES SIZE]...");
    for (std::size_t at = 0; at < words.size(); at += 3) {
      weir::protobuf::testing::Sender sender(std::stoull(words[at + 2]));
      const auto send = [&] { words[at] == "string" ? sender.by_string() : sender.straight(); };
      const std::uint64_t messages = std::stoull(words[at + 1]);
      for (std::uint64_t message = 0; message < messages; ++message) send();
      const weir::testing::CountedPart part;
      for (std::uint64_t message = 0; message < messages; ++message) send();
    }
    return 0;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "cost_driver: {}\n", thrown.what());
    return 1;
  }
}
