// Who may use a directory of weir and the files in it: its owner alone, or all members of a group.
//
// A directory says so itself: one that is sticky, set-group-ID and open to its group, but not for writing to all others
// (mode 3770), is shared by that group. An administrator makes a root so, and whatever weir makes in it is made alike:
//
//   what                                    in a directory of one user    in one that a group shares
//   directories                             0700                          3770
//   segments, chunks, topic, life FIFOs     0600 (topic: 0400)            0640 (topic: 0440)
//   what all write: epoch page, wake FIFOs  0600                          0660
//
// So every word still has one writer: members map each other's segments, and cannot write to, truncate or (by the
// sticky bit) remove what is another's. Files get the group from the directory's set-group-ID bit.
//
// Files are opened to the group before anybody needs them. A directory is made under a name that no topic has, opened
// to the group, and only then renamed: nobody meets one that is half made.
//
// If the process dies here. A directory under its first name is left, empty. Whoever makes one beside it, and any
// sweep, removes it; should its maker live after all, that one finds it gone and starts again.
//
// Thread-safe. Nothing here is on the data path.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::shm {

enum class Audience { owner, group };

[[nodiscard]] Audience audience_of(const struct stat& directory) noexcept;

// Makes a directory in `parent`, for the audience of that. Returns 0 or the error number: EEXIST if the name exists;
// ENOENT when `parent` has been removed, or somebody took the new directory for one that was left: try again.
[[nodiscard]] int make_directory(int parent, const std::string& name, Audience audience);

// What members of the group may do with a file.
enum class GroupMay { read, read_and_write };

// Gives them that right to a new file, if it is for the group.
[[nodiscard]] Status open_to(Audience audience, GroupMay may, const File& file, std::string_view what);

// Whether this user may use what is in a directory: it is the user's own, or shared by a group. Else the error for
// people says whose it is, and what to do.
[[nodiscard]] Status check_usable(const struct stat& directory, const std::string& path);

// The error for a call that the mode of a directory forbids: that the user is not in the group that shares it, or that
// it is another's; else the plain system_error.
[[nodiscard]] Error refused(int error_number, const struct stat& directory, const std::string& path,
                            std::string_view what);

}  // namespace weir::shm
