#include "conformance/performance/callgrind.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "conformance/performance/command.h"

namespace weir::performance {
namespace {

struct TemporaryFile {
  std::string path;
  ~TemporaryFile() { unlink(path.c_str()); }
};

// The number at the start of a line of callgrind_annotate, which has commas; the rest of the line is left. None: 0.
std::uint64_t take_number(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::uint64_t number = 0;
  std::size_t at = 0;
  for (; at < line.size() && (line[at] == ',' || (line[at] >= '0' && line[at] <= '9')); ++at) {
    if (line[at] != ',') {
      number = number * 10 + static_cast<std::uint64_t>(line[at] - '0');
    }
  }
  line.remove_prefix(at);
  return number;
}

// "12,345  transport/shm/ring.h:weir::shm::PublisherPort::publish(...) [/path/program]", a line of the list by
// function.
void add_line(std::string_view line, InstructionCount& count) {
  const std::uint64_t number = take_number(line);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::size_t colon = line.find(':');
  if (number == 0 || colon == std::string_view::npos) {
    return;
  }
  const std::string_view file = line.substr(0, colon);
  const std::string_view function = line.substr(colon + 1);
  count.by_file[std::string(file.substr(file.rfind('/') + 1))] += number;
  count.by_function[std::string(function.substr(0, function.rfind(" [")))] += number;
}

std::vector<std::pair<std::string, double>> difference(const std::map<std::string, std::uint64_t>& few,
                                                       const std::map<std::string, std::uint64_t>& many,
                                                       std::uint64_t things) {
  std::vector<std::pair<std::string, double>> costs;
  for (const auto& [name, number] : many) {
    const auto before = few.find(name);
    const double more = static_cast<double>(number) - (before == few.end() ? 0.0 : static_cast<double>(before->second));
    if (const double cost = more / static_cast<double>(things); cost >= 0.1) {
      costs.emplace_back(name, cost);
    }
  }
  std::sort(costs.begin(), costs.end(), [](const auto& left, const auto& right) { return left.second > right.second; });
  return costs;
}

}  // namespace

Result<InstructionCount> count_instructions(const std::vector<std::string>& command, const std::string& directory,
                                            const std::string& name) {
  const TemporaryFile output{fmt::format("{}/{}.output", directory, name)};
  const TemporaryFile counts{fmt::format("{}/{}.callgrind", directory, name)};
  const TemporaryFile list{fmt::format("{}/{}.list", directory, name)};
  // No debugger is to attach, which needs a FIFO in /tmp.
  std::vector<std::string> watched = {"valgrind", "--tool=callgrind", "--vgdb=no",
                                      "--callgrind-out-file=" + counts.path};
  watched.insert(watched.end(), command.begin(), command.end());
  if (Status done = run_command(watched, output.path); !done) {
    return tl::unexpected(done.error());
  }
  if (Status done = run_command({"callgrind_annotate", "--auto=no", "--threshold=100", "--show-percs=no", counts.path},
                                list.path);
      !done) {
    return tl::unexpected(done.error());
  }
  InstructionCount count;
  std::ifstream lines(list.path);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("PROGRAM TOTALS") != std::string::npos) {
      std::string_view rest = line;
      count.total = take_number(rest);
    } else {
      add_line(line, count);
    }
  }
  if (count.total == 0) {
    return failure(ErrorCode::internal,
                   fmt::format("callgrind_annotate names no total in:\n{}", content_of(list.path)));
  }
  return count;
}

InstructionCost cost_of(const InstructionCount& few, const InstructionCount& many, std::uint64_t things) {
  return {.total = (static_cast<double>(many.total) - static_cast<double>(few.total)) / static_cast<double>(things),
          .by_function = difference(few.by_function, many.by_function, things),
          .by_file = difference(few.by_file, many.by_file, things)};
}

std::string to_string(const InstructionCost& cost) {
  constexpr std::size_t widest = 140;
  std::string text = fmt::format("{:8.1f}  in all\n\n", cost.total);
  for (const auto* part : {&cost.by_function, &cost.by_file}) {
    text +=
        part == &cost.by_function ? "by function, with what is inlined into it\n" : "\nby file of the source line\n";
    for (const auto& [name, instructions] : *part) {
      text += fmt::format("{:8.1f}  {}\n", instructions, name.substr(0, widest));
    }
  }
  return text;
}

}  // namespace weir::performance
