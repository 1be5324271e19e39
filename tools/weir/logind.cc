#include "tools/weir/logind.h"

#include <cctype>
#include <fstream>
#include <map>
#include <string>
#include <system_error>

namespace weir::tool {

bool logind_removes_ipc(const std::filesystem::path& system) {
  std::map<std::filesystem::path, std::filesystem::path> files;  // by name, in the order in which they are read
  for (const char* directory : {"usr/lib", "run", "etc"}) {      // the last one is the most important
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(system / directory / "systemd/logind.conf.d", none)) {
      if (entry.path().extension() == ".conf") files[entry.path().filename()] = entry.path();
    }
  }
  files[""] = system / "etc/systemd/logind.conf";  // before all of these
  bool removes = true;                             // its default
  for (const auto& [name, path] : files) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      std::erase_if(line, [](unsigned char character) { return std::isspace(character) != 0; });
      if (!line.starts_with("RemoveIPC=")) continue;
      const std::string value = line.substr(line.find('=') + 1);
      removes = value == "yes" || value == "true" || value == "1" || value == "on";
    }
  }
  return removes;
}

}  // namespace weir::tool
