// The command line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "conformance/performance/row.h"
#include "transport/status.h"

namespace weir::performance {

struct Options {
  std::vector<std::string> loads;  // all, if empty
  std::vector<std::string> peers;
  std::vector<std::string> sizes;
  std::size_t rounds = 9;
  double seconds = 0.05;
  bool quick = false;
  bool targets = false;
  bool list = false;
  std::string json_file;
  std::string html_file;
};

// Nothing and an exit status where the program is to end: after --help, or with
// arguments that are wrong, which were told.
[[nodiscard]] std::optional<Options> read_options(int count, char** arguments, int& status);

// Which rows the options choose, with their floors. Errors: invalid_argument
// for a load, peer or size that there is not, with those there are; not_found
// when no row is left.
[[nodiscard]] Result<std::vector<bool>> choose_rows(const std::vector<Row>& rows, const Options& options);

}  // namespace weir::performance
