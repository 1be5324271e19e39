// Of the scheduler: what words of shared files do, in the order of x86.
#include <cstring>

#include <fmt/format.h>

#include "transport/testing/model_run/execution_memory.h"
#include "transport/testing/model_run/machine.h"
#include "transport/testing/model_run/scheduler_state.h"

namespace weir::testing {

using namespace scheduling;

namespace {

bool is_delayed() {
  Options options;
  options.add(Happens::nothing, current);
  options.add(Happens::delay, current);
  return options.choose().what == Happens::delay;
}

}  // namespace

std::uint64_t load_word(const void* word, std::size_t size) {
  machine().check_access(word, size, Use::reads);
  if (is_scheduled()) {
    Process& process = processes[current];
    ++steps;
    const std::size_t place = place_in_pages(word);
    used_words.note(place, current, false);
    if (stops_everywhere || used_words.is_contended(place)) {
      decide();
      used_words.note_load_after_stores(current);
      if (!process.buffer.empty()) process.read_meanwhile = true;
    }
    if (const auto own = process.buffer.find(word)) return *own;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, word, size);
  if (tracing && is_scheduled()) trace(fmt::format("reads {} == {}", machine().describe(word), value));
  return value;
}

void store_word(void* word, std::size_t size, std::uint64_t value, Drain drains) {
  machine().check_access(word, size, Use::writes);
  const StoreBuffer::Store store{.word = word, .size = size, .value = value};
  if (!is_scheduled()) {
    store.commit();
    return;
  }
  ++steps;
  Process& process = processes[current];
  const std::size_t place = place_in_pages(word);
  used_words.note(place, current, true);
  const bool contended = stops_everywhere || used_words.is_contended(place);
  if (contended) decide();
  if (drains == Drain::no) used_words.note_store(place, current);
  if (drains == Drain::yes) {
    drain(process);
    store.commit();
  } else if (!process.buffer.empty()) {
    if (process.buffer.full()) process.buffer.commit_oldest();
    process.buffer.push(store);
  } else if (contended && left.delays > 0 && (stops_everywhere || used_words.is_worth_delaying(place)) &&
             is_delayed()) {
    --left.delays;
    process.buffer.push(store);
    process.read_meanwhile = false;
    if (tracing) trace(fmt::format("(delays the next store)"));
  } else {
    store.commit();
  }
  if (tracing) trace(fmt::format("writes {} = {}", machine().describe(word), value));
}

void begin_update(void* word, std::size_t size) {
  machine().check_access(word, size, Use::writes);
  if (!is_scheduled()) return;
  ++steps;
  const std::size_t place = place_in_pages(word);
  used_words.note(place, current, true);
  if (stops_everywhere || used_words.is_contended(place)) decide();
  drain(processes[current]);
  if (tracing) trace(fmt::format("updates {}", machine().describe(word)));
}

void note_read(const void* address, std::size_t size) noexcept {
  if (!is_scheduled()) return;
  const std::size_t first = place_in_pages(address);
  for (std::size_t place = first & ~std::size_t{3}; place < first + size; place += 4) {
    used_words.note(place, current, false);
  }
}

}  // namespace weir::testing
