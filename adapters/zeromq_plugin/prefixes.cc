#include "adapters/zeromq_plugin/prefixes.h"

#include <cstring>

namespace weir::zmq_plugin {

void Prefixes::add(std::string_view prefix) {
  // First what may find no memory and changes nothing by itself.
  std::uint32_t& of_this_size = sizes_[prefix.size()];
  const auto [entry, is_new] = counts_.try_emplace(std::string(prefix), 0);
  ++entry->second;
  if (is_new) ++of_this_size;
  everything_ = everything_ || prefix.empty();
}

bool Prefixes::remove(std::string_view prefix) {
  const auto entry = counts_.find(prefix);
  if (entry == counts_.end()) return false;
  if (--entry->second == 0) {
    counts_.erase(entry);
    const auto size = sizes_.find(prefix.size());
    if (--size->second == 0) sizes_.erase(size);
    everything_ = everything_ && !prefix.empty();
  }
  return true;
}

bool Prefixes::match_one(std::span<const std::byte> frame) const noexcept {
  const std::string_view text(reinterpret_cast<const char*>(frame.data()), frame.size());
  if (counts_.size() == 1) return text.starts_with(counts_.begin()->first);
  for (const auto& [size, count] : sizes_) {
    if (size > text.size()) return false;
    if (counts_.find(text.substr(0, size)) != counts_.end()) return true;
  }
  return false;
}

}  // namespace weir::zmq_plugin
