#include "adapters/zeromq/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::zeromq {
namespace {

constexpr std::array<std::string_view, 10> keys{"bind",     "also_bind", "also_connect", "filter", "frames",
                                                "envelope", "alignment", "linger",       "curve",  "curve_server"};

constexpr std::string_view scheme_prefix = "zmq+";
constexpr std::size_t largest_alignment = 4096;

// The parts of a list. A comma or backslash in a part has a backslash before it.
std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts(1);
  for (std::size_t at = 0; at < list.size(); ++at) {
    if (list[at] == ',') {
      parts.emplace_back();
      continue;
    }
    const bool escaped = list[at] == '\\' && at + 1 < list.size() && (list[at + 1] == ',' || list[at + 1] == '\\');
    parts.back().push_back(list[escaped ? ++at : at]);
  }
  return parts;
}

std::optional<std::uint64_t> number(std::string_view text, std::string_view& suffix) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{}) return std::nullopt;
  suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  return value;
}

// Reads one option after the other and remembers the first fault.
class Reader {
 public:
  Reader(const Endpoint& endpoint, const ExtraOptions& extra) : endpoint_(endpoint), extra_(extra) {}

  [[nodiscard]] std::string_view text(std::string_view key) const {
    const auto found = extra_.find(key);
    return found == extra_.end() ? std::string_view() : std::string_view(found->second);
  }

  // The place of the value among the words; 0 if it is not given.
  std::size_t word(std::string_view key, std::initializer_list<std::string_view> words) {
    const auto given = extra_.find(key);
    if (given == extra_.end()) return 0;
    const auto found = std::find(words.begin(), words.end(), given->second);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string all;
    for (const std::string_view each : words) all += fmt::format("{}{}", all.empty() ? "" : ", ", each);
    fault(fmt::format("option {}=\"{}\" is not one of: {}", key, given->second, all));
    return 0;
  }

  std::size_t alignment(std::size_t otherwise) {
    const auto given = extra_.find("alignment");
    if (given == extra_.end()) return otherwise;
    std::string_view suffix;
    const auto value = number(given->second, suffix);
    if (value && suffix.empty() && *value > 0 && *value <= largest_alignment && (*value & (*value - 1)) == 0) {
      return *value;
    }
    fault(fmt::format("option alignment=\"{}\" is not a power of two from 1 to {}", given->second, largest_alignment));
    return otherwise;
  }

  std::chrono::milliseconds linger(std::chrono::milliseconds otherwise) {
    const auto given = extra_.find("linger");
    if (given == extra_.end()) return otherwise;
    std::string_view suffix;
    const auto value = number(given->second, suffix);
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
    if (value && suffix == "ms" && *value <= most) return std::chrono::milliseconds(*value);
    if (value && suffix == "s" && *value <= most / 1000) return std::chrono::seconds(*value);
    fault(fmt::format("option linger=\"{}\" is not a duration such as 500ms or 2s", given->second));
    return otherwise;
  }

  void native_endpoints(std::string_view key, std::vector<std::string>& endpoints) {
    if (!extra_.contains(key)) return;
    for (std::string& each : parts_of(text(key))) {
      const bool known = each.starts_with("tcp://") || each.starts_with("ipc://") || each.starts_with("inproc://");
      if (!known) {
        fault(fmt::format("option {}: \"{}\" is not an endpoint as ZeroMQ writes it: tcp://, ipc:// or inproc://", key,
                          each));
      }
      endpoints.push_back(std::move(each));
    }
  }

  void fault(std::string_view reason) {
    if (!fault_) {
      fault_.emplace(ErrorCode::invalid_argument, fmt::format("endpoint \"{}\": {}", endpoint_.text(), reason));
    }
  }
  [[nodiscard]] const std::optional<Error>& first_fault() const { return fault_; }

 private:
  const Endpoint& endpoint_;
  const ExtraOptions& extra_;
  std::optional<Error> fault_;
};

// An address that stands for all or any, which only who binds can have.
bool is_wildcard(std::string_view native) {
  if (native.starts_with("ipc://")) return native == "ipc://*";
  return native.starts_with("tcp://") && (native.starts_with("tcp://*") || native.ends_with(":*") ||
                                          native.ends_with(":0") || native.starts_with("tcp://0.0.0.0"));
}

}  // namespace

std::span<const std::string_view> option_keys() noexcept { return keys; }

std::string_view option_in_uri(const Endpoint& endpoint, std::string_view key) noexcept {
  const auto found = endpoint.options.find(key);
  return found == endpoint.options.end() ? std::string_view() : std::string_view(found->second);
}

Result<Options> read_options(const Endpoint& endpoint, Role role, const ExtraOptions& extra) {
  Reader reader(endpoint, extra);
  Options options;
  options.endpoint = endpoint.text();

  constexpr std::array<Role, 2> binders{Role::publisher, Role::subscriber};
  const std::size_t binder = reader.word("bind", {"publisher", "subscriber", "nobody"});
  const bool binds = binder < binders.size() && binders.at(binder) == role;
  (binds ? options.bind : options.connect)
      .push_back(fmt::format("{}://{}", endpoint.scheme.substr(scheme_prefix.size()), endpoint.topic));
  reader.native_endpoints("also_bind", options.bind);
  reader.native_endpoints("also_connect", options.connect);
  for (const std::string& native : options.connect) {
    if (is_wildcard(native)) {
      reader.fault(
          fmt::format("\"{}\" stands for any address, so nobody can connect to it: name a host and a port, or "
                      "say who binds it: bind=publisher, bind=subscriber",
                      native));
    }
  }

  options.filters = parts_of(reader.text("filter"));
  options.frames = std::array{Frames::payload, Frames::topic, Frames::table}.at(
      reader.word("frames", {"payload", "topic", "table"}));
  options.envelope = reader.word("envelope", {"0", "1"}) == 1;
  options.alignment = reader.alignment(options.alignment);
  options.linger = reader.linger(options.linger);
  options.curve = reader.text("curve");
  options.curve_server = reader.text("curve_server");
  if (!options.curve_server.empty() && options.curve.empty()) {
    reader.fault("option curve_server needs the own certificate too: curve=FILE");
  }
  if (!options.curve.empty() && endpoint.scheme == "zmq+inproc") {
    reader.fault("option curve: there is no wire within a process to encrypt: leave it out");
  }
  if (reader.first_fault()) return tl::unexpected(*reader.first_fault());
  return options;
}

}  // namespace weir::zeromq
