// How the experiments make their nets.
#pragma once

#include <string>

#include "deft/layers/module.h"

namespace deft::apps {

template <class Net>
ModuleHolder make_net(const std::string& model) {
  return ModuleHolder(Net(model));
}

/// Of a net that has one size only.
template <class Net>
ModuleHolder restore_net(const std::string& model, const NamedTensors& state) {
  ModuleHolder net = make_net<Net>(model);
  net->load_state_dict(state);
  return net;
}

}  // namespace deft::apps
