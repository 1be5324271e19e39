#include "conformance/harness/request.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace weir::conformance {
namespace {

// All but the text, as it is sent: both ends are the same program.
struct RequestHead {
  Operation operation;
  std::uint16_t port;
  bool keep_samples;
  std::uint64_t count;
  Patience patience;
  PublishScript publish;
  ReceiveScript receive;
};

struct OutcomeHead {
  bool good;
  ErrorCode code;
  Wake wake;
  std::uint64_t value;
};

constexpr std::size_t max_text = 65536;

template <class Head>
bool send_message(int socket, Head head, std::string_view text) {
  static_assert(std::is_trivially_copyable_v<Head>);
  text = text.substr(0, max_text);
  std::array<iovec, 2> parts{{{&head, sizeof(head)}, {const_cast<char*>(text.data()), text.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t sent = -1;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

template <class Head>
bool receive_message(int socket, Head& head, std::string& text) {
  text.resize(max_text);
  std::array<iovec, 2> parts{{{&head, sizeof(head)}, {text.data(), text.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t received = -1;
  do {
    received = recvmsg(socket, &message, 0);
  } while (received < 0 && errno == EINTR);
  if (received < static_cast<ssize_t>(sizeof(head))) return false;
  text.resize(static_cast<std::size_t>(received) - sizeof(head));
  return true;
}

}  // namespace

bool send(int socket, const Request& request) {
  return send_message(socket,
                      RequestHead{request.operation, request.port, request.keep_samples, request.count,
                                  request.patience, request.publish, request.receive},
                      request.text);
}

bool receive(int socket, Request& request) {
  RequestHead head{};
  std::string text;
  if (!receive_message(socket, head, text)) return false;
  request = {head.operation, head.port,    head.keep_samples, head.count,
             head.patience,  head.publish, head.receive,      std::move(text)};
  return true;
}

bool send(int socket, const Outcome& outcome) {
  return send_message(socket, OutcomeHead{outcome.good, outcome.code, outcome.wake, outcome.value}, outcome.text);
}

bool receive(int socket, Outcome& outcome) {
  OutcomeHead head{};
  std::string text;
  if (!receive_message(socket, head, text)) return false;
  outcome = {head.good, head.code, head.wake, head.value, std::move(text)};
  return true;
}

std::string to_string(const Outcome& outcome) {
  if (outcome.good) return fmt::format("good, value {}", outcome.value);
  return fmt::format("{}: {} (value {})", weir::to_string(outcome.code), outcome.text, outcome.value);
}

std::string to_string(const Request& request) {
  return fmt::format("{} on port {} {}", to_string(request.operation), request.port, request.text);
}

std::string_view to_string(Operation operation) {
  constexpr std::array<std::string_view, 18> names{"hello",
                                                   "open_publisher",
                                                   "open_subscriber",
                                                   "close",
                                                   "publish",
                                                   "lend",
                                                   "drop",
                                                   "take",
                                                   "receive",
                                                   "release",
                                                   "wait",
                                                   "wait_for_subscribers",
                                                   "wait_until_taken",
                                                   "poll",
                                                   "next_events",
                                                   "list_peers",
                                                   "run",
                                                   "exit"};
  return names.at(static_cast<std::size_t>(operation));
}

}  // namespace weir::conformance
