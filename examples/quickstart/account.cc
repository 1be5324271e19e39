#include "examples/quickstart/account.h"

#include <fmt/format.h>

namespace quickstart {

std::vector<std::string> broken_promises(const Account& account, const Expectation& expected, const Stream& published) {
  std::vector<std::string> broken;
  const auto require = [&broken](bool held, std::string fault) {
    if (!held) {
      broken.push_back(std::move(fault));
    }
  };

  require(account.messages > 0, "it received nothing");
  require(account.different == 0, fmt::format("{} messages are not the file's bytes", account.different));
  require(account.disordered == 0,
          fmt::format("{} samples are not the next one after the announced loss", account.disordered));
  require(account.first + account.messages + account.lost == account.next,
          fmt::format("received {} and announced lost {} are not the {} from {} to {}", account.messages, account.lost,
                      account.next - account.first, account.first, account.next));
  if (expected.to_the_end) {
    require(account.next == published.messages,
            fmt::format("its account ends at {}, but {} were published", account.next, published.messages));
  } else {
    require(account.next <= published.messages,
            fmt::format("its account ends at {}, though only {} were published", account.next, published.messages));
  }
  if (expected.lossless) {
    require(account.lost == 0, fmt::format("{} samples were lost to a lossless subscriber", account.lost));
  }
  if (expected.begins) {
    require(account.first == *expected.begins,
            fmt::format("its account begins at {} instead of {}", account.first, *expected.begins));
  }
  require(account.first >= expected.begins_at_the_earliest,
          fmt::format("its account begins at {}, before the newest {} that it asked for (from {} on)", account.first,
                      expected.history, expected.begins_at_the_earliest));
  require(account.at_once >= expected.history,
          fmt::format("only {} of {} samples of history were there when it joined", account.at_once, expected.history));
  if (expected.whole_file) {
    require(account.bytes == published.bytes && account.checksum == published.checksum,
            fmt::format("it has {} bytes with checksum {:08x}, the file {} with {:08x}", account.bytes,
                        account.checksum, published.bytes, published.checksum));
  }
  return broken;
}

}  // namespace quickstart
