#include "adapters/zeromq_plugin/route.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <zmq.h>

namespace weir::zmq_plugin {
namespace {

constexpr std::string_view shm_scheme = "shm://";
constexpr std::string_view ipc_scheme = "ipc://";
constexpr std::string_view tcp_scheme = "tcp://";

// Beside the topic, as weir's own names go: a topic of its own.
constexpr std::string_view subscriptions_suffix = ".subscriptions";

Route nowhere(std::string_view text, int error) {
  Route route;
  route.leads = Leads::nowhere;
  route.error = error;
  route.text = text;
  return route;
}

Route to_shm(std::string_view text, Endpoint topic) {
  Route route;
  route.leads = Leads::to_shm;
  route.text = text;
  route.subscriptions = topic;
  route.subscriptions.topic += subscriptions_suffix;
  route.topic = std::move(topic);
  return route.subscriptions.topic.size() > max_topic_size ? nowhere(text, ENAMETOOLONG) : route;
}

Route to_named_topic(std::string_view text, std::string topic) {
  Endpoint endpoint;
  endpoint.scheme = "shm";
  endpoint.topic = std::move(topic);
  return to_shm(text, std::move(endpoint));
}

Route to_libzmq(std::string_view text, std::string native) {
  Route route;
  if (native != text) route.text = text;
  route.native = std::move(native);
  return route;
}

Route route_of_shm(std::string_view text) {
  Result<Endpoint> endpoint = Endpoint::parse(text);
  if (!endpoint) return nowhere(text, EINVAL);
  for (const auto& [key, value] : endpoint->options) {
    if (key != "root") return nowhere(text, EINVAL);  // all else is said by socket options
  }
  return to_shm(text, std::move(*endpoint));
}

Route route_of_ipc(std::string_view text) {
  const std::string path(text.substr(ipc_scheme.size()));
  if (path == "*") {
    // As libzmq: a name that nobody else has.
    static std::atomic<unsigned> count{0};
    const std::string unique = fmt::format("/tmp/weir-{}-{}", getpid(), count.fetch_add(1));
    return to_named_topic(fmt::format("ipc://{}", unique), "ipc:" + unique);
  }
  if (path.empty()) return to_libzmq(text, std::string(text));  // libzmq says what is wrong
  if (path.front() == '@') return to_named_topic(text, "ipc:" + path);
  std::error_code error;
  // Absolute first: a name of which nothing exists yet would stay relative.
  std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (!error) whole = std::filesystem::weakly_canonical(whole, error);
  return to_named_topic(text, "ipc:" + (error ? path : whole.string()));
}

Route route_of_tcp(std::string_view text, Redirect redirect) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port = text.substr(colon + 1);
  if (port == "*" || port == "0") {
    Route route;
    route.text = text.substr(0, colon);
    route.any_port = true;
    return route;
  }
  if (redirect == Redirect::shm) return to_named_topic(text, fmt::format("tcp:{}", port));
  const char* const directory = std::getenv("TMPDIR");
  return to_libzmq(text, fmt::format("ipc://{}/weir-tcp-{}", directory == nullptr ? "/tmp" : directory, port));
}

}  // namespace

bool is_served(int socket_type) noexcept { return publishes(socket_type) || subscribes(socket_type); }
bool publishes(int socket_type) noexcept { return socket_type == ZMQ_PUB || socket_type == ZMQ_XPUB; }
bool subscribes(int socket_type) noexcept { return socket_type == ZMQ_SUB || socket_type == ZMQ_XSUB; }

Route route_of(std::string_view text, int socket_type, const Settings& settings) {
  if (text.starts_with(shm_scheme)) {
    return is_served(socket_type) ? route_of_shm(text) : nowhere(text, ENOCOMPATPROTO);
  }
  if (is_served(socket_type)) {
    if (text.starts_with(ipc_scheme) && settings.ipc == Redirect::shm) return route_of_ipc(text);
    if (text.starts_with(tcp_scheme) && settings.tcp != Redirect::none) return route_of_tcp(text, settings.tcp);
  }
  return to_libzmq(text, std::string(text));
}

Route with_port(const Route& route, unsigned port, const Settings& settings) {
  return route_of_tcp(fmt::format("{}:{}", route.text, port), settings.tcp);
}

}  // namespace weir::zmq_plugin
