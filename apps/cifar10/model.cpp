#include "deft/apps/cifar10/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deft/kernels/runtime/error.h"

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

TrainedNet ModelSettings::load_net(const std::string& path, Device device) const {
  TrainedNet trained = apps::load_net(path, device);
  if (trained.experiment != &e2() || trained.model != model()) {
    throw Error(fmt::format("{}: holds {}'s {} net, expected E2's {} net (model_type {})", trained.path,
                            trained.experiment->name, trained.model, model(), model_type));
  }
  const std::vector<std::int64_t> channels = CifarNet::channels_of(trained.net->state_dict());
  if (channels != conv_ch) {
    throw Error(
        fmt::format("{}: conv_ch is {}, expected {}", trained.path, fmt::join(channels, ","), fmt::join(conv_ch, ",")));
  }
  return trained;
}

}  // namespace deft::apps::cifar10
