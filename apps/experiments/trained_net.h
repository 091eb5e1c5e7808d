// Nets with the weights that training has left in a file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "deft/apps/experiments/experiment.h"
#include "deft/kernels/runtime/device.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// A net with its weights, as a weights file holds them.
struct TrainedNet {
  std::string path;  ///< of the file
  const Experiment* experiment;
  std::string model;
  std::string data;  ///< whose images it takes: "mnist" or "cifar10"
  ModuleHolder net;
  std::map<std::string, std::string> about;  ///< what the file says of itself: "seed", "epoch", "accuracy", …
};

/// The weights file that a user means: the file itself; in a run's folder the weights that its experiment reports,
/// best.safetensors or last.safetensors; or one of the nets that come with deft, by its name. Throws Error for an empty
/// text, and one that names the file when the default net is not there.
std::string resolve_weights(const std::string& weights);

/// Reads the weights file that resolve_weights finds; the file says which net it is. Throws Error that names the file
/// when it is not a weights file of a training run, or of a net for other images than those of `data`, if that is given.
TrainedNet load_net(const std::string& path, Device device, const std::string& data = "");

/// What --help says of --weights.
inline constexpr const char* weights_help =
    "weights file of a training run, the run's folder (E0, E1: best.safetensors, others: last.safetensors), or a net "
    "that comes with deft, such as e0_regular";

}  // namespace deft::apps
