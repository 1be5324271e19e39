#include "transport/backend_directory.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

#include "transport/plugin_loader.h"

namespace weir::spi {
namespace {

// Linked in as a whole (alwayslink), so that every Node asks it.
[[maybe_unused]] const bool is_asked = (set_backend_finder(find_in_backend_directory), true);

// The file that this code is in, without symbolic links on the way; empty if it cannot be told.
std::filesystem::path own_file() {
  std::error_code ignored;
  Dl_info where{};
  const auto* const here = reinterpret_cast<const void*>(&find_in_backend_directory);
  if (dladdr(here, &where) != 0 && where.dli_fname != nullptr) {
    const std::filesystem::path file = where.dli_fname;
    // Otherwise it is what a program was called as, and was looked for in PATH.
    if (file.has_parent_path()) return std::filesystem::weakly_canonical(file, ignored);
  }
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

std::filesystem::path directory() {
  // Not for a program that runs with more rights than its user has: the user chose the environment.
  if (const char* variable = secure_getenv("WEIR_BACKENDS"); variable != nullptr && *variable != '\0') return variable;
  return own_file().parent_path().parent_path() / "lib" / "weir";
}

struct Opened {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Backend>> backends;  // by name of the file
};

}  // namespace

Result<Backend*> find_in_backend_directory(const Endpoint& endpoint) {
  static auto& opened = *new Opened;  // for ever, like the libraries
  const std::string name = endpoint.scheme.substr(0, endpoint.scheme.find('+'));
  const std::lock_guard<std::mutex> lock(opened.mutex);
  std::shared_ptr<Backend>& backend = opened.backends[name];
  if (backend == nullptr) {
    const std::filesystem::path file = directory() / (name + ".so");
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return nullptr;
    auto loaded = load_plugin(file);
    if (!loaded) return tl::unexpected(loaded.error());
    backend = std::move(*loaded);
  }
  const auto served = backend->schemes();
  const bool serves = std::find(served.begin(), served.end(), endpoint.scheme) != served.end();
  return serves ? backend.get() : nullptr;
}

}  // namespace weir::spi
