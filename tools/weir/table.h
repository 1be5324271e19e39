// A table of text: each column as wide as its widest cell.
#pragma once

#include <string>
#include <vector>

namespace weir::tool {

class Table {
 public:
  // A heading that begins with '>' is of a column of numbers, set to the right.
  explicit Table(std::vector<std::string> headings);

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const noexcept { return rows_.size() == 1; }

  // The lines, the headings first. Where they are longer than `width`, the first column is shortened; 0: it never is.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width = 0) const;

 private:
  std::vector<bool> numbers_;
  std::vector<std::vector<std::string>> rows_;
};

// Cut to so many characters, with an ellipsis in place of the middle.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t width);

// Cut to so many characters, behind which nothing is.
[[nodiscard]] std::string cut(const std::string& text, std::size_t width);

// Columns of the terminal that results go to; 0 if they go elsewhere.
[[nodiscard]] std::size_t terminal_width();
[[nodiscard]] std::size_t terminal_height();

}  // namespace weir::tool
