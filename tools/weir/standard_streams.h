// What a program needs of its standard streams before it opens anything.
#pragma once

namespace weir::tool {

// Opens /dev/null for each of the descriptors 0 to 2 that is closed: otherwise the next file or segment that is opened
// would get its number, and sentences be written into it. Before any thread.
void fill_standard_streams();

}  // namespace weir::tool
