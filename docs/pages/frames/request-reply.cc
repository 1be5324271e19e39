// Around the snippets of docs/request-reply.md.
#include <chrono>
#include <cstddef>
#include <span>
#include <stop_token>
#include <vector>

#include "transport/request_reply/replier.h"
#include "transport/request_reply/requester.h"

using namespace std::chrono_literals;

weir::Result<std::vector<std::byte>> sum(std::span<const std::byte> numbers);

void serve(weir::Node& node, std::stop_token stop) {
#include "1.inc"
}

void ask(weir::Node& node, std::span<const std::byte> numbers) {
#include "2.inc"
}
