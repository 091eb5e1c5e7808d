#include "deft/apps/nets/nets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deft/apps/nets/cifar_net.h"
#include "deft/apps/nets/five_conv_net.h"
#include "deft/apps/nets/four_conv_net.h"
#include "deft/apps/nets/geometry_net.h"
#include "deft/apps/nets/three_conv_net.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

struct NetKind {
  const char* experiment;
  std::string data;
  const std::vector<std::string>& (*models)();
  ModuleHolder (*make)(const std::string& model);
  Transform (*pixels)();
  bool reports_best_epoch = false;
};

template <class Net>
ModuleHolder make(const std::string& model) {
  return ModuleHolder(Net(model));
}

Transform zero_to_one() { return {}; }

const std::vector<NetKind>& kinds() {
  static const std::vector<NetKind> all = {
      {"E0", "mnist", FiveConvNet::models, make<FiveConvNet>, mnist_normalisation, true},
      {"E1", "mnist", ThreeConvNet::models, make<ThreeConvNet>, zero_to_one, true},
      {"E2", "cifar10", CifarNet::models, make<CifarNet>, zero_to_one},
      {"E3", "mnist", GeometryNet::models, make<GeometryNet>, zero_to_one},
      {"E4", "mnist", FourConvNet::models, make<FourConvNet>, zero_to_one},
  };
  return all;
}

const NetKind& kind_of(const std::string& experiment) {
  for (const NetKind& kind : kinds()) {
    if (experiment == kind.experiment) return kind;
  }
  throw Error(fmt::format("experiment is '{}', expected {}", experiment, fmt::join(net_experiments(), ", ")));
}

}  // namespace

const std::vector<std::string>& net_experiments() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const NetKind& kind : kinds()) list.emplace_back(kind.experiment);
    return list;
  }();
  return names;
}

std::vector<std::string> net_experiments(const std::string& data) {
  std::vector<std::string> names;
  for (const NetKind& kind : kinds()) {
    if (data == kind.data) names.emplace_back(kind.experiment);
  }
  return names;
}

const std::vector<std::string>& net_models(const std::string& experiment) { return kind_of(experiment).models(); }

ModuleHolder make_net(const std::string& experiment, const std::string& model) {
  return kind_of(experiment).make(model);
}

const std::string& net_data(const std::string& experiment) { return kind_of(experiment).data; }

Transform net_pixels(const std::string& experiment) { return kind_of(experiment).pixels(); }

bool reports_best_epoch(const std::string& experiment) { return kind_of(experiment).reports_best_epoch; }

}  // namespace deft::apps
