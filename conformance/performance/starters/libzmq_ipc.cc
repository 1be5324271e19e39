#include "conformance/performance/peers/directory.h"
#include "conformance/performance/peers/zeromq.h"
#include "conformance/performance/starters/starter.h"

int main(int count, char** arguments) {
  using namespace weir::performance;
  return starter_main(count, arguments, [](Task task, const std::string& name) {
    task.load = Load::fan_out;  // XPUB and SUB
    return std::make_shared<const ZeroMq>(task, "ipc://" + socket_directory() + "/" + name);
  });
}
