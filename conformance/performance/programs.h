// Rows that need processes started afresh (starters/): start-up, memory of an
// idle topic, instructions of a message.
#pragma once

#include <vector>

#include "conformance/performance/row.h"

namespace weir::performance {

// One for each of the programs that lie beside this one.
void add_program_rows(std::vector<Row>& rows);

}  // namespace weir::performance
