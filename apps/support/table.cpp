#include "deft/apps/support/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "deft/kernels/runtime/error.h"

namespace deft::support {

Table::Table(std::vector<std::string> titles, const std::vector<int>& widths, Style style)
    : titles_(std::move(titles)), style_(style) {
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    left_.push_back(!titles_[i].empty() && titles_[i][0] == '<');
    if (left_[i]) titles_[i].erase(0, 1);
    widths_.push_back(std::max(static_cast<int>(titles_[i].size()), i < widths.size() ? widths[i] : 0));
  }
}

std::string Table::header() const {
  std::vector<std::string> rules;
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    rules.emplace_back(static_cast<std::size_t>(widths_[i]), '-');
    if (style_ == Style::markdown && !left_[i]) rules[i].back() = ':';
  }
  return row(titles_) + row(rules);
}

std::string Table::row(const std::vector<std::string>& cells) const {
  if (cells.size() != titles_.size()) {
    throw Error(fmt::format("table: the row has {} cells, expected {}", cells.size(), titles_.size()));
  }
  const bool markdown = style_ == Style::markdown;
  std::string line = markdown ? "| " : "";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += markdown ? " | " : "  ";
    line += left_[i] ? fmt::format("{:<{}}", cells[i], widths_[i]) : fmt::format("{:>{}}", cells[i], widths_[i]);
  }
  return line + (markdown ? " |\n" : "\n");
}

}  // namespace deft::support
