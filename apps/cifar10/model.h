// The settings that say which net of experiment E2 is meant, under the names of its own configuration files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/nets/cifar_net.h"
#include "deft/apps/support/config.h"

namespace deft::apps::cifar10 {

struct ModelSettings {
  std::string outdir;
  std::int64_t model_type = 1;
  std::vector<std::int64_t> conv_ch = {64, 128};
  std::int64_t batch_size = e2().training.batch_size;

  /// `outdir_help` is what --help says of the folder.
  void add_to(support::Settings& settings, const std::string& outdir_help);

  /// "regular", "deform-v1" or "deform-v2". Throws Error for a model_type that is none of 1, 2, 3.
  const std::string& model() const;
  /// A new net. Throws Error for conv_ch that is not two numbers.
  CifarNet make_net() const { return CifarNet(model(), conv_ch); }
  /// One with the weights of a file. Throws Error that names the file for weights of another net.
  TrainedNet load_net(const std::string& path, Device device) const;
};

}  // namespace deft::apps::cifar10
