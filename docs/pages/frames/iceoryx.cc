// Around the snippet of docs/iceoryx.md.
#include "transport/node.h"

void open(weir::Node& node) {
#include "1.inc"
}
