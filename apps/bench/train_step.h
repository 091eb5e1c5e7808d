// Training steps of the experiments' nets: what `bench step` and `bench memory` measure.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deft/apps/experiments/experiment.h"
#include "deft/kernels/runtime/device.h"

namespace deft::bench {

/// A net of an experiment, to be trained.
struct NetCase {
  const apps::Experiment* experiment;
  std::string model;  ///< "deform-v2"
  std::int64_t batch_size;
};

/// "E0 deform-v2".
std::string to_string(const NetCase& one);
/// Its fields in a record: op ("train_step_e0"), pass ("step"), model, n.
nlohmann::ordered_json to_fields(const NetCase& one);

/// All models of E0, E1, E2 and E3 (on MNIST), which are trained whole. `batch_size` in place of the experiments' own, unless it is 0.
std::vector<NetCase> net_cases(std::int64_t batch_size = 0);

/// One step (forward, loss, backward, the experiment's optimizer) on a batch of synthetic images that stays the same.
std::function<void()> make_step(const NetCase& one, Device device);

}  // namespace deft::bench
