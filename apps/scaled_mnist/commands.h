// The commands of scaled_mnist.
#pragma once

#include <memory>
#include <string>

#include "deft/apps/nets/five_conv_net.h"
#include "deft/apps/support/command_line.h"
#include "deft/core/safetensors.h"

namespace deft::apps {

/// Trains a net as experiment E0 does and writes a run's folder.
support::Command train_command();
/// Tests trained weights at all scales.
support::Command eval_command();
/// Says which digit an image file shows.
support::Command predict_command();
/// A table of finished runs side by side.
support::Command compare_command();

/// What --help says of --data.
inline constexpr const char* data_help =
    "folder with MNIST, or synthetic; default: $DEFT_DATA, else the cache of scripts/download_data.sh";

/// A net with its weights, as a weights file holds them.
struct TrainedNet {
  std::string path;  ///< of the file
  std::string model;
  FiveConvNet net;
};

/// Reads a weights file of `train`, or best.safetensors in the folder of a run; the file says which net it is. Throws
/// Error that names the file when it is not such a one, and for an empty path.
TrainedNet load_net(const std::string& path, Device device);

}  // namespace deft::apps
