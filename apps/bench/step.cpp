#include "deft/apps/bench/step.h"

#include <fmt/format.h>

#include <memory>

#include "deft/apps/bench/report.h"
#include "deft/apps/bench/train_step.h"

namespace deft::bench {

namespace {

struct StepSettings {
  std::int64_t batch_size = 0;
  CommonSettings common{.seconds = 3};
};

int run(const StepSettings& settings) {
  const Device device = settings.common.runtime.apply();
  const std::vector<NetCase> cases = keep_matching(net_cases(settings.batch_size), settings.common.filter);
  Report report(measure_machine(device, settings.common.tiny));
  std::vector<std::function<void()>> pieces;
  for (const NetCase& one : cases) pieces.push_back(make_step(one, device));
  const std::vector<Timing> timings = time_interleaved(pieces, settings.common.seconds, device);

  report.begin(with_time_titles({"<net", "batch"}, {"epoch's steps s (extrapolated)"}), {13, 0, 0, 7, 16, 4});
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const NetCase& one = cases[i];
    const std::int64_t steps = (one.experiment->training.images + one.batch_size - 1) / one.batch_size;
    const double epoch_s = 1e-3 * timings[i].median_ms * static_cast<double>(steps);
    nlohmann::ordered_json record = to_fields(one);
    record["precision"] = settings.common.runtime.precision;
    record["conv_algorithm"] = settings.common.runtime.conv_algorithm;
    record.update(to_fields(timings[i]));
    record["extrapolated_epoch_s"] = epoch_s;
    report.add(
        with_times({to_string(one), std::to_string(one.batch_size)}, timings[i], {fmt::format("{:.3g}", epoch_s)}),
        std::move(record));
  }
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command step_command() {
  const auto settings = std::make_shared<StepSettings>();
  support::Command command{.name = "step", .summary = "One training step of the experiments' nets"};
  command.settings.add("batch_size", settings->batch_size, "images per step, 0: as in the experiment");
  settings->common.add_to(command.settings, "'EXPERIMENT MODEL', such as 'E1 deform'", "each net");
  settings->common.runtime.add_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
