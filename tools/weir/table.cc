#include "tools/weir/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace weir::tool {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 8;

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80; }

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

winsize terminal_size() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

// The byte at which the character with this number begins.
std::size_t byte_of(const std::string& text, std::size_t character) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (begins_character(text[at]) && character-- == 0) break;
  }
  return at;
}

}  // namespace

Table::Table(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    numbers_.push_back(heading.starts_with('>'));
    if (numbers_.back()) heading.erase(0, 1);
  }
  row(std::move(headings));
}

std::vector<std::string> Table::lines(std::size_t width) const {
  std::vector<std::size_t> widths(numbers_.size());
  for (const auto& row : rows_) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], width_of(row[column]));
    }
  }
  std::size_t others = 0;
  for (std::size_t column = 1; column < widths.size(); ++column) others += gap + widths[column];
  if (width != 0 && others + widths[0] > width) {
    widths[0] = std::max(narrowest, width - std::min(width, others));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      const std::string cell = column == 0 ? shortened(row[column], widths[0]) : row[column];
      const std::string padding(widths[column] - width_of(cell), ' ');
      line +=
          (column == 0 ? std::string() : std::string(gap, ' ')) + (numbers_[column] ? padding + cell : cell + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string shortened(const std::string& text, std::size_t width) {
  const std::size_t characters = width_of(text);
  if (characters <= width || width < 4) return text;
  const std::size_t tail = (width - 1) / 2;
  const std::size_t head = width - 1 - tail;
  return text.substr(0, byte_of(text, head)) + "…" + text.substr(byte_of(text, characters - tail));
}

std::string cut(const std::string& text, std::size_t width) { return text.substr(0, byte_of(text, width)); }

std::size_t terminal_width() { return terminal_size().ws_col; }
std::size_t terminal_height() { return terminal_size().ws_row; }

}  // namespace weir::tool
