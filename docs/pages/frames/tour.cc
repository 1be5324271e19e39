// Around the snippets of docs/tour.md. The two programs at its beginning are compiled by themselves too.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <thread>

#include "transport/node.h"
#include "transport/request_reply/requester.h"

namespace clock_program {
#define main clock_main
#include "1.inc"
#undef main
}  // namespace clock_program

namespace watch_program {
#define main watch_main
#include "2.inc"
#undef main
}  // namespace watch_program

using namespace std::chrono_literals;

void fill(std::span<std::byte> payload);

void zero_copy(weir::Publisher* publisher, std::size_t size) {
#include "3.inc"
}

void nobody_may_lose_anything(weir::Node* node) {
#include "4.inc"
}

void who_is_there(weir::Publisher* publisher) {
#include "5.inc"
}

void has_it_arrived(weir::Publisher* publisher, weir::Requester* requester, std::span<const std::byte> order,
                    std::span<const std::byte> question) {
#include "6.inc"
}
