// What the C++ of both sides of plugin.h shares: codes, endpoints, options and capabilities, to C and back.
//
//   const ValueList settings = to_values(qos);
//   plugin.open_publisher(backend, …, settings.values(), …);
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "transport/capabilities.h"
#include "transport/endpoint.h"
#include "transport/membership.h"
#include "transport/plugin.h"
#include "transport/qos.h"
#include "transport/status.h"

namespace weir::plugin {

// A struct of plugin.h, all zero but for its size.
template <class Struct>
[[nodiscard]] Struct sized() noexcept {
  Struct made{};
  made.struct_size = sizeof(Struct);
  return made;
}

// The code of an error, and back; what is no code of this version is `internal`.
[[nodiscard]] std::int32_t to_c(ErrorCode code) noexcept;
[[nodiscard]] ErrorCode error_code(std::int32_t code) noexcept;

// Writes what fits. Returns the error's code.
std::int32_t report(const Error& error, weir_text* text) noexcept;

// Typed values with the memory that they point into.
class ValueList {
 public:
  ValueList() = default;
  ValueList(const ValueList&) = delete;
  ValueList& operator=(const ValueList&) = delete;

  void add_number(std::string_view key, std::uint64_t number);
  void add_duration(std::string_view key, std::uint64_t nanoseconds);
  void add_word(std::string_view key, std::string_view word);

  // Valid until the next addition.
  [[nodiscard]] const weir_values* values() const noexcept;

 private:
  weir_value& add(std::string_view key, weir_value_type type);
  const char* keep(std::string_view text);

  std::deque<std::string> texts_;
  std::deque<weir_value> items_;
  std::vector<const weir_value*> pointers_;  // to the items
  mutable weir_values values_{};
};

void add_values(const PublisherQos& qos, ValueList& values);
void add_values(const SubscriberQos& qos, ValueList& values);
void add_options(const Endpoint& endpoint, ValueList& values);

// Errors: invalid_argument for a key or a word that does not fit.
[[nodiscard]] Result<PublisherQos> to_publisher_qos(const weir_values* settings);
[[nodiscard]] Result<SubscriberQos> to_subscriber_qos(const weir_values* settings);
[[nodiscard]] Endpoint to_endpoint(const weir_endpoint& endpoint);
// Number `index` of the values that tell of capabilities; false behind the last. The texts stand for ever.
bool capability_at(const Capabilities& capabilities, std::uint64_t index, weir_value& value) noexcept;
// Sets what the value is about; a key that this version does not know is a promise that nobody asks for.
void set_capability(const weir_value& value, Capabilities& capabilities);

[[nodiscard]] Peer to_peer(const weir_peer& peer);
// The texts are those of `peer`.
[[nodiscard]] weir_peer to_c(const Peer& peer) noexcept;

}  // namespace weir::plugin
