// Experiment E3's table: which images, which nets, and what was published.
#pragma once

#include <string>
#include <vector>

#include "deft/data/transform.h"

namespace deft::apps::geometry {

/// One way to show the images of a data set, the same in training and in tests.
struct Row {
  std::string name;   ///< "mnist-rotated"
  std::string title;  ///< "MNIST rotated"
  std::string data;   ///< of load_data: "mnist" or "cifar10"
  std::string form;   ///< "plain", "rotated", "translated" or "both"
  /// Rotation is uniform in ±45°, then translation in ±20 % of the side in y and in x; bilinear, black outside.
  Transform transform;
  double published_regular, published_deformable;  ///< accuracies in percent

  double published(const std::string& model) const {
    return model == "regular" ? published_regular : published_deformable;
  }
};

/// The six rows: MNIST plain, rotated, translated, rotated and translated, CIFAR-10 plain and rotated.
const std::vector<Row>& rows();

/// The one that net, learning rate and epochs are chosen on: MNIST rotated and translated.
const Row& selection_row();

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

}  // namespace deft::apps::geometry
