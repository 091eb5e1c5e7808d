// The cells of experiment E3's table: which net on which images.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/experiments/experiment.h"

namespace deft::apps {

/// One run: a net on a row's images.
struct Cell {
  const Row* row;
  std::string model;  ///< "regular" or "deform-v1"

  /// "mnist-rotated-deform-v1".
  std::string name() const { return row->name + "-" + model; }
};

/// The twelve cells, row by row.
const std::vector<Cell>& cells();

/// Those that any of the words means, in their usual order; all of them when there is no word. A word is a cell's name,
/// a row's, a model's or a data set's. Throws Error for another word, with the nearest one.
std::vector<Cell> select_cells(const std::vector<std::string>& words);

}  // namespace deft::apps
