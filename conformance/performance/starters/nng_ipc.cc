#include "conformance/performance/peers/directory.h"
#include "conformance/performance/peers/nng.h"
#include "conformance/performance/starters/starter.h"

int main(int count, char** arguments) {
  using namespace weir::performance;
  return starter_main(count, arguments, [](const Task& task, const std::string& name) {
    return std::make_shared<const Nng>(task, "ipc://" + socket_directory() + "/" + name);
  });
}
