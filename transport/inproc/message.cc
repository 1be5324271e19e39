#include "transport/inproc/message.h"

#include <algorithm>
#include <utility>

namespace weir::inproc {
namespace {

// Loans promise this alignment at least.
constexpr std::size_t least_alignment = 8;

Bytes allocate(std::size_t size, std::size_t alignment) {
  const std::align_val_t aligned{alignment};
  return {static_cast<std::byte*>(::operator new(size, aligned)), AlignedDelete{aligned}};
}

}  // namespace

Message::Message(const spi::LoanRequest& request, std::shared_ptr<Budget> budget)
    : size(request.size),
      header_size(request.header_size),
      payload_(allocate(request.size, std::max(request.alignment, least_alignment))),
      header_(allocate(request.header_size, least_alignment)),
      budget_(std::move(budget)),
      taken_(request.size + request.header_size) {
  budget_->take(taken_);
}

Message::~Message() { budget_->give_back(taken_); }

}  // namespace weir::inproc
