#include "deft/apps/cifar10/model.h"

#include <fmt/format.h>

#include "deft/apps/support/checkpoint.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/error.h"

namespace deft::apps::cifar10 {

void ModelSettings::add_to(support::Settings& settings, const std::string& outdir_help) {
  settings.add("outdir", outdir, outdir_help);
  settings.add("model_type", model_type, "1: ordinary convolutions, 2: deformable, 3: deformable with masks (v2)", 1);
  settings.add("conv_ch", conv_ch, "output channels of the two convolutions", 1);
  settings.add("batch_size", batch_size, "images per step", 1);
}

const std::string& ModelSettings::model() const {
  const auto& models = CifarNet::models();
  if (model_type >= 1 && model_type <= static_cast<std::int64_t>(models.size())) {
    return models[static_cast<std::size_t>(model_type - 1)];
  }
  throw Error(fmt::format("model_type is {}, expected 1, 2 or 3", model_type));
}

CifarNet ModelSettings::load_net(const std::string& path) const {
  CifarNet net = make_net();
  const Safetensors weights = load_safetensors(path);
  const std::string its_experiment = support::metadata_value(weights, path, "experiment");
  const std::string its_model = support::metadata_value(weights, path, "model");
  if (its_experiment != "E2" || its_model != model()) {
    throw Error(fmt::format("{}: holds {}'s {} net, expected E2's {} net (model_type {})", path, its_experiment,
                            its_model, model(), model_type));
  }
  support::naming_file(path, [&] { net.load_state_dict(weights.tensors); });
  return net;
}

}  // namespace deft::apps::cifar10
