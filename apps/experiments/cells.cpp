#include "deft/apps/experiments/cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "deft/apps/support/config.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

// The words that mean this cell.
std::vector<std::string> words_for(const Cell& cell) {
  return {cell.name(), cell.row->name, cell.model, cell.row->data};
}

}  // namespace

const std::vector<Cell>& cells() {
  static const std::vector<Cell> all = [] {
    std::vector<Cell> list;
    for (const Row& row : e3().rows) {
      for (const std::string& model : e3().models) list.push_back({&row, model});
    }
    return list;
  }();
  return all;
}

std::vector<Cell> select_cells(const std::vector<std::string>& words) {
  const auto means = [](const std::string& word, const Cell& cell) {
    const std::vector<std::string> known = words_for(cell);
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  std::vector<std::string> known;
  for (const Cell& cell : cells()) {
    for (const std::string& word : words_for(cell)) known.push_back(word);
  }
  for (const std::string& word : words) {
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    throw Error(fmt::format("--cells: unknown cell '{}', did you mean '{}'?", word, support::nearest(word, known)));
  }
  std::vector<Cell> selected;
  for (const Cell& cell : cells()) {
    const bool wanted = words.empty() || std::any_of(words.begin(), words.end(),
                                                     [&](const std::string& word) { return means(word, cell); });
    if (wanted) selected.push_back(cell);
  }
  return selected;
}

}  // namespace deft::apps
