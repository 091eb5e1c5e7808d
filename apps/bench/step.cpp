#include "deft/apps/bench/step.h"

#include <fmt/format.h>

#include <memory>

#include "deft/apps/bench/report.h"
#include "deft/apps/scaled_mnist/net.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/table.h"
#include "deft/core/file.h"
#include "deft/data/synthetic_digits.h"
#include "deft/data/transform.h"
#include "deft/layers/loss.h"
#include "deft/optim/adam.h"

namespace deft::bench {

namespace {

struct StepSettings {
  std::int64_t batch_size = 64;
  double seconds = 3;
  bool tiny = false;
  std::string json;
  support::RuntimeSettings runtime;
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
  apps::ScaledMnistNet net_;
  std::unique_ptr<Adam> optimizer_;
  Tensor images_, labels_;
};

int run(const StepSettings& settings) {
  const Device device = settings.runtime.apply();
  const Machine machine = measure_machine(device, settings.tiny);
  fmt::print("{}\n", to_string(machine));

  const Dataset data = synthetic_digits(settings.batch_size, Part::train);
  std::vector<std::function<void()>> pieces;
  for (const std::string& model : apps::net_names()) {
    pieces.push_back([step = std::make_shared<Step>(model, data, device)] { (*step)(); });
  }
  const std::vector<Timing> timings = time_interleaved(pieces, settings.seconds, device);
  const support::Table table({"<model", "batch", "median ms", "min ms", "10 % to 90 %", "runs"}, {10, 0, 0, 7, 16, 0},
                             support::Table::Style::markdown);
  fmt::print("{}", table.header());
  std::vector<Record> records;
  for (std::size_t i = 0; i < timings.size(); ++i) {
    const Timing& timing = timings[i];
    const std::string& model = apps::net_names()[i];
    fmt::print("{}",
               table.row({model, std::to_string(settings.batch_size), to_text(timing.median_ms), to_text(timing.min_ms),
                          to_text(timing.low_ms) + " to " + to_text(timing.high_ms), std::to_string(timing.runs)}));
    records.push_back({{{"op", "train_step_e0"},
                        {"pass", "step"},
                        {"model", model},
                        {"n", settings.batch_size},
                        {"precision", settings.runtime.precision}},
                       timing});
  }
  if (!settings.json.empty()) write_file(settings.json, to_json(records, machine));
  return 0;
}

}  // namespace

support::Command step_command() {
  const auto settings = std::make_shared<StepSettings>();
  support::Command command{.name = "step", .summary = "One training step of the nets of experiment E0"};
  command.settings.add("batch_size", settings->batch_size, "images per step", 1);
  command.settings.add("seconds", settings->seconds, "how long to measure each net");
  command.settings.add("tiny", settings->tiny, "try the machine's ceilings at small sizes, as a test of the program");
  command.settings.add("json", settings->json, "file for the records as a JSON list");
  settings->runtime.add_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
