#include "deft/apps/bench/train_step.h"

#include <fmt/format.h>

#include <memory>

#include "deft/core/random.h"
#include "deft/data/synthetic_digits.h"
#include "deft/data/transform.h"
#include "deft/layers/loss.h"
#include "deft/optim/adamw.h"

namespace deft::bench {

namespace {

std::unique_ptr<Optimizer> make_optimizer(const apps::Training& training, const std::vector<Tensor>& parameters) {
  if (training.weight_decay == 0) return std::make_unique<Adam>(parameters, AdamOptions{.lr = training.lr});
  return std::make_unique<AdamW>(parameters, AdamWOptions{.lr = training.lr, .weight_decay = training.weight_decay});
}

Dataset made_up(const std::string& data, std::int64_t count) {
  if (data == "mnist") return synthetic_digits(count, Part::train);
  return {.images = randint(0, 256, {count, 32, 32, 3}).to(DType::uint8), .labels = randint(0, 10, {count})};
}

class TrainStep {
 public:
  TrainStep(const NetCase& one, Device device) : net_(one.experiment->make_net(one.model)) {
    const Dataset data = made_up(one.experiment->data, one.batch_size);
    images_ = transform_images(data.images, one.experiment->pixels).to(device);
    labels_ = data.labels.to(device);
    net_->to(device);
    optimizer_ = make_optimizer(one.experiment->training, net_->parameters());
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

std::string to_string(const NetCase& one) { return one.experiment->name + " " + one.model; }

nlohmann::ordered_json to_fields(const NetCase& one) {
  return {{"op", fmt::format("train_step_e{}", one.experiment->name.substr(1))},
          {"pass", "step"},
          {"model", one.model},
          {"n", one.batch_size}};
}

std::vector<NetCase> net_cases(std::int64_t batch_size) {
  std::vector<NetCase> cases;
  for (const apps::Experiment* experiment : apps::experiments()) {
    if (experiment->tuning) continue;
    for (const std::string& model : experiment->models) {
      cases.push_back({experiment, model, batch_size > 0 ? batch_size : experiment->training.batch_size});
    }
  }
  return cases;
}

std::function<void()> make_step(const NetCase& one, Device device) { return TrainStep(one, device); }

}  // namespace deft::bench
