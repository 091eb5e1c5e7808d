#include "deft/apps/bench/step.h"

#include <fmt/format.h>

#include <memory>

#include "deft/apps/bench/report.h"
#include "deft/apps/nets/five_conv_net.h"
#include "deft/data/synthetic_digits.h"
#include "deft/data/transform.h"
#include "deft/layers/loss.h"
#include "deft/optim/adam.h"

namespace deft::bench {

namespace {

struct StepSettings {
  std::int64_t batch_size = 64;
  CommonSettings common{.seconds = 3};
};

// A net in training on one batch.
class Step {
 public:
  Step(const std::string& model, const Dataset& data, Device device)
      : net_(model),
        images_(transform_images(data.images, apps::mnist_normalisation()).to(device)),
        labels_(data.labels.to(device)) {
    net_.to(device);
    optimizer_ = std::make_unique<Adam>(net_.parameters());
  }

  void operator()() {
    optimizer_->zero_grad();
    cross_entropy(net_(images_), labels_).backward();
    optimizer_->step();
  }

 private:
  apps::FiveConvNet net_;
  std::unique_ptr<Adam> optimizer_;
  Tensor images_, labels_;
};

int run(const StepSettings& settings) {
  const Device device = settings.common.runtime.apply();
  Report report(measure_machine(device, settings.common.tiny));
  const Dataset data = synthetic_digits(settings.batch_size, Part::train);
  std::vector<std::function<void()>> pieces;
  for (const std::string& model : apps::FiveConvNet::models()) {
    pieces.push_back([step = std::make_shared<Step>(model, data, device)] { (*step)(); });
  }
  const std::vector<Timing> timings = time_interleaved(pieces, settings.common.seconds, device);
  std::vector<std::string> titles = {"<model", "batch"};
  titles.insert(titles.end(), time_titles.begin(), time_titles.end());
  report.begin(std::move(titles), {10, 0, 0, 7, 16, 0});
  for (std::size_t i = 0; i < timings.size(); ++i) {
    const std::string& model = apps::FiveConvNet::models()[i];
    std::vector<std::string> cells = {model, std::to_string(settings.batch_size)};
    for (std::string& cell : time_cells(timings[i])) cells.push_back(std::move(cell));
    nlohmann::ordered_json record = {{"op", "train_step_e0"},
                                     {"pass", "step"},
                                     {"model", model},
                                     {"n", settings.batch_size},
                                     {"precision", settings.common.runtime.precision}};
    record.update(to_fields(timings[i]));
    report.add(cells, std::move(record));
  }
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command step_command() {
  const auto settings = std::make_shared<StepSettings>();
  support::Command command{.name = "step", .summary = "One training step of the nets of experiment E0"};
  command.settings.add("batch_size", settings->batch_size, "images per step", 1);
  settings->common.add_to(command.settings, "each net");
  settings->common.runtime.add_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
