// Nets with the weights that training has left in a file.
#pragma once

#include <string>

#include "deft/kernels/device.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// A net with its weights, as a weights file holds them.
struct TrainedNet {
  std::string path;  ///< of the file
  std::string experiment, model;
  ModuleHolder net;
};

/// Reads a weights file of a training run on MNIST, or best.safetensors in the run's folder; the file says which net
/// it is. Throws Error that names the file when it is not such a one, and for an empty path.
TrainedNet load_net(const std::string& path, Device device);

/// What --help says of --weights.
inline constexpr const char* weights_help =
    "weights file of a training run, or the run's folder (its best.safetensors)";

}  // namespace deft::apps
