// An endpoint is a URI that names a backend, a topic and options.
//
//   shm://camera/front?depth=8            backend shm, topic camera/front
//   shm:///var/lib/app/feed               a topic at an absolute path
//   iceoryx://Radar/FrontLeft/Object      backend iceoryx
//   zmq+tcp://host:5555                   backend zeromq over TCP
//
// Percent-encoding is that of RFC 3986, in the topic as in the options. Topics are compared byte by byte.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "transport/status.h"

namespace weir {

// The longest topic, in bytes after decoding.
inline constexpr std::size_t max_topic_size = 1024;

// A parsed endpoint. A value: copy it freely; thread-safe as long as nobody writes to it.
struct Endpoint {
  std::string scheme;                                       // "shm", "zmq+tcp": lower case
  std::string topic;                                        // decoded; all between "://" and "?"
  std::map<std::string, std::string, std::less<>> options;  // decoded; every key once

  // Errors: invalid_argument for text that is not of the form above, an empty topic, a topic over max_topic_size, a
  // NUL byte, a "." or ".." between slashes, a malformed escape, a fragment, a key given twice.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view uri);

  // The same for a URI that names a whole backend rather than a topic: "shm://", "shm://?root=/run/robot". The topic is
  // empty then.
  [[nodiscard]] static Result<Endpoint> parse_backend(std::string_view uri);

  // The URI in normal form: parse(text()) gives the same endpoint.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace weir
