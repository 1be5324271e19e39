// What systemd-logind does to topics when a user's last session ends.
#pragma once

#include <filesystem>

namespace weir::tool {

// Whether it removes the user's shared memory (RemoveIPC=), as its configuration below `system` says. Of files that
// have the same name in several directories, only that of the most important one counts, as for logind itself.
[[nodiscard]] bool logind_removes_ipc(const std::filesystem::path& system = "/");

}  // namespace weir::tool
