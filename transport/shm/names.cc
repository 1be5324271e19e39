#include "transport/shm/names.h"

#include <sys/random.h>

#include <algorithm>
#include <random>

#include <fmt/format.h>

namespace weir::shm {
namespace {

constexpr std::size_t longest_directory = 200;
constexpr std::size_t hash_digits = 32;
constexpr std::size_t prefix_size = longest_directory - 1 - hash_digits;
constexpr std::size_t id_digits = 16;
constexpr std::size_t segment_name_size = 2 + id_digits;
constexpr std::string_view half_made = ".new-";

bool is_plain(char character) {
  // Not isalnum(3), which asks the process's locale: all must find the same directory.
  const bool is_letter = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
  return is_letter || (character >= '0' && character <= '9') || character == '-' || character == '_' ||
         character == '.';
}

bool is_lower_hex(char digit) { return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'); }

std::string escape(std::string_view topic) {
  std::string escaped;
  for (const char character : topic) {
    if (is_plain(character) && !(escaped.empty() && character == '.')) {
      escaped.push_back(character);
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(character));
    }
  }
  return escaped;
}

// FNV-1a of 128 bits: part of the layout, as all versions must find the same directory.
__extension__ using Wide = unsigned __int128;

Wide hash_of(std::string_view text) {
  constexpr Wide prime = (Wide{1} << 88U) + 0x13b;
  Wide hash = (Wide{0x6c62'272e'07bb'0142} << 64U) + 0x62b8'2175'6295'c58d;
  for (const char character : text) {
    hash = (hash ^ static_cast<unsigned char>(character)) * prime;
  }
  return hash;
}

constexpr PeerId durable_bit = PeerId{1} << 63U;

char letter_of(Role role) { return role == Role::publisher ? 'p' : 's'; }

}  // namespace

std::string directory_of(std::string_view topic) {
  std::string name = escape(topic);
  if (name.size() <= longest_directory) return name;
  name.resize(prefix_size);
  // Not half an escape.
  if (const std::size_t percent = name.rfind('%'); percent != std::string::npos && percent + 3 > name.size()) {
    name.resize(percent);
  }
  const Wide hash = hash_of(topic);
  return fmt::format("{}~{:016x}{:016x}", name, static_cast<std::uint64_t>(hash >> 64U),
                     static_cast<std::uint64_t>(hash));
}

bool is_directory_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= longest_directory && name.front() != '.' &&
         std::all_of(name.begin(), name.end(),
                     [](char character) { return is_plain(character) || character == '%' || character == '~'; });
}

std::string half_made_name() { return fmt::format("{}{:016x}", half_made, random_id()); }

bool is_half_made(std::string_view name) noexcept {
  return name.size() == half_made.size() + id_digits && name.starts_with(half_made) &&
         std::all_of(name.begin() + half_made.size(), name.end(), is_lower_hex);
}

std::string segment_name(Role role, PeerId id) { return fmt::format("{}.{:016x}", letter_of(role), id); }

std::string chunk_file_name(PeerId id, unsigned size_class) {
  return fmt::format("{}.c{:02x}", segment_name(Role::publisher, id), size_class);
}

std::string life_name(Role role, PeerId id) { return segment_name(role, id) + ".life"; }

std::string wake_name(Role role, PeerId id) { return segment_name(role, id) + ".wake"; }

std::optional<SegmentName> parse_segment_name(std::string_view name) {
  if (name.size() != segment_name_size || (name[0] != 'p' && name[0] != 's') || name[1] != '.') return std::nullopt;
  PeerId id = 0;
  for (const char digit : name.substr(2)) {
    if (!is_lower_hex(digit)) return std::nullopt;
    id = id * 16 + static_cast<PeerId>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  if (id == 0) return std::nullopt;
  return SegmentName{name[0] == 'p' ? Role::publisher : Role::subscriber, id};
}

std::optional<SegmentName> parse_companion_name(std::string_view name) {
  if (name.size() <= segment_name_size) return std::nullopt;
  const std::optional<SegmentName> segment = parse_segment_name(name.substr(0, segment_name_size));
  if (!segment) return std::nullopt;
  const std::string_view rest = name.substr(segment_name_size);
  if (rest == ".life" || rest == ".wake") return segment;
  const bool is_chunk_file = segment->role == Role::publisher && rest.size() == 4 && rest.substr(0, 2) == ".c" &&
                             is_lower_hex(rest[2]) && is_lower_hex(rest[3]);
  return is_chunk_file ? segment : std::nullopt;
}

PeerId durable_id(std::string_view name) { return static_cast<PeerId>(hash_of(name) >> 64U) | durable_bit; }

PeerId random_id() {
  PeerId id = 0;
  while (id == 0) {
    // A sandbox may forbid the system call; the library then has other sources.
    if (getrandom(&id, sizeof(id), 0) != static_cast<ssize_t>(sizeof(id))) {
      std::random_device device;
      id = (PeerId{device()} << 32U) | device();
    }
    id &= ~durable_bit;
  }
  return id;
}

}  // namespace weir::shm
