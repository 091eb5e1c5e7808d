#include "deft/apps/geometry/cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "deft/apps/nets/nets.h"
#include "deft/apps/support/config.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps::geometry {

namespace {

const Range turn{-45, 45}, shift{-0.2, 0.2};

Transform moved(const AffineRanges& ranges) {
  Transform transform = net_pixels("E3");
  transform.steps = {random_affine(ranges)};
  return transform;
}

// What a word may be to mean this cell.
std::vector<std::string> words_for(const Cell& cell) {
  return {cell.name(), cell.row->name, cell.model, cell.row->data};
}

}  // namespace

const std::vector<Row>& rows() {
  static const Transform plain = net_pixels("E3"), rotated = moved({.angle = turn}),
                         translated = moved({.translate_y = shift, .translate_x = shift}),
                         both = moved({.angle = turn, .translate_y = shift, .translate_x = shift});
  static const std::vector<Row> all = {
      {"mnist-plain", "MNIST", "mnist", "plain", plain, 98.82, 99.10},
      {"mnist-rotated", "MNIST rotated", "mnist", "rotated", rotated, 95.78, 98.27},
      {"mnist-translated", "MNIST translated", "mnist", "translated", translated, 95.71, 98.27},
      {"mnist-rotated-translated", "MNIST rotated and translated", "mnist", "both", both, 87.28, 94.03},
      {"cifar10-plain", "CIFAR-10", "cifar10", "plain", plain, 67.36, 68.52},
      {"cifar10-rotated", "CIFAR-10 rotated", "cifar10", "rotated", rotated, 53.01, 55.16},
  };
  return all;
}

const Row& selection_row() { return rows()[3]; }

const std::vector<Cell>& cells() {
  static const std::vector<Cell> all = [] {
    std::vector<Cell> list;
    for (const Row& row : rows()) {
      for (const std::string& model : net_models("E3")) list.push_back({&row, model});
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

}  // namespace deft::apps::geometry
