// How experiment E3 trains a net: the same for all cells and for the candidates among which the net was chosen.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "deft/apps/experiments/cells.h"
#include "deft/apps/nets/geometry_net.h"
#include "deft/apps/support/training_run.h"
#include "deft/data/dataset.h"

namespace deft::apps::geometry {

/// What decides the result besides the images.
struct Recipe {
  std::vector<std::int64_t> channels = GeometryNet::default_channels();
  std::int64_t epochs = e3().training.epochs;
  std::int64_t batch_size = e3().training.batch_size;
  double lr = e3().training.lr;
  double gamma = e3().training.gamma;
  std::int64_t seed = 1;

  /// The settings that candidates have in common: all but the channels and the learning rate.
  void add_common_to(support::Settings& settings, const char* epochs_help);
};

/// One net to be trained.
struct Job {
  Cell cell;
  Recipe recipe;
  Dataset train, test;
  std::string evaluation = "test";  ///< what the images of `test` are: "test" or "validation"
  std::string folder;               ///< of the run
  std::string config;               ///< contents of its config.json
};

/// Trains with Adam, whose learning rate is multiplied by gamma after every epoch, and tests after each. What the test
/// images show is drawn once, from a seed of its own: it is the same after every epoch of every run.
support::History train(const Job& job, const support::RunSettings& settings, Device device);

/// What --help says of --data.
inline constexpr const char* data_help =
    "folder with MNIST and CIFAR-10 (in it, or in mnist/ and cifar10/ below it); default: $DEFT_DATA, otherwise the "
    "cache of scripts/download_data.sh";

}  // namespace deft::apps::geometry
