#include "deft/apps/bench/train_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "deft/apps/nets/nets.h"
#include "deft/core/random.h"
#include "deft/data/synthetic_digits.h"
#include "deft/data/transform.h"
#include "deft/layers/loss.h"
#include "deft/optim/adamw.h"

namespace deft::bench {

namespace {

// How an experiment trains its nets.
struct Training {
  const char* experiment;
  std::int64_t batch_size, images;
  std::unique_ptr<Optimizer> (*make_optimizer)(const std::vector<Tensor>& parameters);
  Dataset (*make_data)(std::int64_t count);
};

std::unique_ptr<Optimizer> adam(const std::vector<Tensor>& parameters) { return std::make_unique<Adam>(parameters); }
std::unique_ptr<Optimizer> adam_w(const std::vector<Tensor>& parameters) { return std::make_unique<AdamW>(parameters); }

Dataset digits(std::int64_t count) { return synthetic_digits(count, Part::train); }
Dataset colours(std::int64_t count) {
  return {.images = randint(0, 256, {count, 32, 32, 3}).to(DType::uint8), .labels = randint(0, 10, {count})};
}

constexpr Training trainings[] = {{"E0", 64, 60000, adam, digits},
                                  {"E1", 100, 60000, adam, digits},
                                  {"E2", 32, 45000, adam_w, colours},
                                  {"E3", 64, 60000, adam, digits}};

class TrainStep {
 public:
  TrainStep(const Training& training, const NetCase& one, Device device)
      : net_(apps::make_net(one.experiment, one.model)) {
    const Dataset data = training.make_data(one.batch_size);
    images_ = transform_images(data.images, apps::net_pixels(one.experiment)).to(device);
    labels_ = data.labels.to(device);
    net_->to(device);
    optimizer_ = training.make_optimizer(net_->parameters());
  }

  void operator()() {
    optimizer_->zero_grad();
    cross_entropy((*net_)(images_), labels_).backward();
    optimizer_->step();
  }

 private:
  ModuleHolder net_;
  std::shared_ptr<Optimizer> optimizer_;
  Tensor images_, labels_;
};

}  // namespace

std::string to_string(const NetCase& one) { return one.experiment + " " + one.model; }

nlohmann::ordered_json to_fields(const NetCase& one) {
  return {{"op", fmt::format("train_step_e{}", one.experiment.substr(1))},
          {"pass", "step"},
          {"model", one.model},
          {"n", one.batch_size}};
}

std::vector<NetCase> net_cases(std::int64_t batch_size) {
  std::vector<NetCase> cases;
  for (const Training& training : trainings) {
    for (const std::string& model : apps::net_models(training.experiment)) {
      cases.push_back({training.experiment, model, batch_size > 0 ? batch_size : training.batch_size, training.images});
    }
  }
  return cases;
}

std::function<void()> make_step(const NetCase& one, Device device) {
  const auto* training = std::find_if(std::begin(trainings), std::end(trainings), [&](const Training& candidate) {
    return candidate.experiment == one.experiment;
  });
  return TrainStep(*training, one, device);
}

}  // namespace deft::bench
