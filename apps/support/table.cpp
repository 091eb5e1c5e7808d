#include "deft/apps/support/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "deft/kernels/error.h"

namespace deft::support {

Table::Table(std::vector<std::string> titles, const std::vector<int>& widths) : titles_(std::move(titles)) {
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    left_.push_back(!titles_[i].empty() && titles_[i][0] == '<');
    if (left_[i]) titles_[i].erase(0, 1);
    widths_.push_back(std::max(static_cast<int>(titles_[i].size()), i < widths.size() ? widths[i] : 0));
  }
}

std::string Table::header() const {
  std::string rule;
  for (const int width : widths_)
    rule += (rule.empty() ? "" : "  ") + std::string(static_cast<std::size_t>(width), '-');
  return row(titles_) + rule + "\n";
}

std::string Table::row(const std::vector<std::string>& cells) const {
  if (cells.size() != titles_.size()) {
    throw Error(fmt::format("table: the row has {} cells, expected {}", cells.size(), titles_.size()));
  }
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += "  ";
    line += left_[i] ? fmt::format("{:<{}}", cells[i], widths_[i]) : fmt::format("{:>{}}", cells[i], widths_[i]);
  }
  return line + "\n";
}

}  // namespace deft::support
