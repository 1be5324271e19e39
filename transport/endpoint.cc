#include "transport/endpoint.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr std::string_view separator = "://";

tl::unexpected<Error> malformed(std::string_view uri, std::string_view reason) {
  constexpr std::size_t shown = 200;
  return failure(ErrorCode::invalid_argument,
                 fmt::format("endpoint \"{}\"{}: {}", uri.substr(0, shown), uri.size() > shown ? "…" : "", reason));
}

std::optional<unsigned> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A' + 10);
  return std::nullopt;
}

// Empty for a malformed escape.
std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded.push_back(text[at]);
      continue;
    }
    const auto high = at + 2 < text.size() ? hex_digit(text[at + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[at + 2]) : std::nullopt;
    if (!low) return std::nullopt;
    decoded.push_back(static_cast<char>(*high * 16 + *low));
    at += 2;
  }
  return decoded;
}

// The characters that need no escape in a topic or an option (RFC 3986, pchar, less what separates here).
std::string encode(std::string_view text) {
  constexpr std::string_view plain = "-._~/:@!$'()*,;";
  std::string encoded;
  for (const char character : text) {
    if (std::isalnum(static_cast<unsigned char>(character)) != 0 || plain.find(character) != std::string_view::npos) {
      encoded.push_back(character);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(character));
    }
  }
  return encoded;
}

bool is_scheme(std::string_view text) {
  const auto allowed = [](char character) {
    return std::islower(static_cast<unsigned char>(character)) != 0 ||
           std::isdigit(static_cast<unsigned char>(character)) != 0 || character == '+' || character == '-' ||
           character == '.';
  };
  return !text.empty() && std::islower(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool has_dot_segment(std::string_view topic) {
  while (!topic.empty()) {
    const std::size_t slash = topic.find('/');
    const std::string_view segment = topic.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    topic = slash == std::string_view::npos ? std::string_view() : topic.substr(slash + 1);
  }
  return false;
}

// Why a topic is not acceptable; empty if it is.
std::string topic_fault(std::string_view topic) {
  if (topic.size() > max_topic_size) {
    return fmt::format("the topic has {} bytes, at most {} are allowed: shorten it", topic.size(), max_topic_size);
  }
  if (topic.find('\0') != std::string_view::npos) return "the topic has a NUL byte: leave %00 out";
  if (has_dot_segment(topic)) return "the topic has \".\" or \"..\" between slashes: name the topic without them";
  return {};
}

Status add_option(Endpoint& endpoint, std::string_view uri, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return malformed(uri, fmt::format("option \"{}\" is not of the form key=value", text));
  }
  const auto key = decode(text.substr(0, equals));
  const auto value = decode(text.substr(equals + 1));
  if (!key || !value)
    return malformed(uri, fmt::format("option \"{}\" has a malformed % escape: write a % as %25", text));
  if (!endpoint.options.emplace(*key, *value).second) {
    return malformed(uri, fmt::format("option \"{}\" is given twice: give it once", *key));
  }
  return {};
}

Result<Endpoint> parse_any(std::string_view uri) {
  const std::size_t colon = uri.find(separator);
  if (colon == std::string_view::npos || !is_scheme(uri.substr(0, colon))) {
    return malformed(uri, "it does not begin with a scheme such as shm://");
  }
  if (uri.find('#') != std::string_view::npos) {
    return malformed(uri, "a fragment has no meaning here: write a # in a topic as %23");
  }
  Endpoint endpoint;
  endpoint.scheme = uri.substr(0, colon);
  const std::string_view rest = uri.substr(colon + separator.size());
  const std::size_t question = rest.find('?');
  auto topic = decode(rest.substr(0, question));
  if (!topic) return malformed(uri, "the topic has a malformed % escape: write a % as %25");
  if (std::string fault = topic_fault(*topic); !fault.empty()) return malformed(uri, fault);
  endpoint.topic = std::move(*topic);
  std::string_view query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  while (!query.empty()) {
    const std::size_t ampersand = query.find('&');
    if (Status added = add_option(endpoint, uri, query.substr(0, ampersand)); !added) {
      return tl::unexpected(added.error());
    }
    query = ampersand == std::string_view::npos ? std::string_view() : query.substr(ampersand + 1);
  }
  return endpoint;
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view uri) {
  Result<Endpoint> endpoint = parse_any(uri);
  if (endpoint && endpoint->topic.empty()) return malformed(uri, "the topic is empty: name one after ://");
  return endpoint;
}

Result<Endpoint> Endpoint::parse_backend(std::string_view uri) {
  Result<Endpoint> endpoint = parse_any(uri);
  if (endpoint && !endpoint->topic.empty()) {
    return malformed(uri, fmt::format("it names a topic where a backend is wanted: write {}://", endpoint->scheme));
  }
  return endpoint;
}

std::string Endpoint::text() const {
  std::string text = scheme + std::string(separator) + encode(topic);
  char before = '?';
  for (const auto& [key, value] : options) {
    text += before + encode(key) + '=' + encode(value);
    before = '&';
  }
  return text;
}

}  // namespace weir
