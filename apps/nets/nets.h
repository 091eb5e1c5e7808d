// All nets of the experiments, by name.
#pragma once

#include <string>
#include <vector>

#include "deft/data/transform.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// The experiments that have nets here: "E0" to "E4".
const std::vector<std::string>& net_experiments();
/// Those whose nets are for this data set, "mnist" or "cifar10".
std::vector<std::string> net_experiments(const std::string& data);

/// The models of an experiment's net ("regular", "deform-v1", …). Throws Error for an experiment without nets, as do
/// the functions below.
const std::vector<std::string>& net_models(const std::string& experiment);

/// A new net, initialised as in its experiment from the default generator; E3's for MNIST. Throws Error for a model that
/// it does not come in.
ModuleHolder make_net(const std::string& experiment, const std::string& model);

/// The data set that an experiment's nets are for, by load_data's name: "mnist" or "cifar10".
const std::string& net_data(const std::string& experiment);

/// How an experiment's nets take their pixels.
Transform net_pixels(const std::string& experiment);

/// Whether an experiment reports a run's best epoch, as E0 and E1 do; else the last one.
bool reports_best_epoch(const std::string& experiment);

}  // namespace deft::apps
