#include "deft/apps/support/report_command.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "deft/apps/support/interrupt.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

void ReportSettings::add_to(Settings& settings) {
  settings.add_positional("run", run, "folder of a training run");
  settings.add("data", data, "folder with the data set; default: as in the run's config.json");
  settings.add("limit", limit, "use so many test images, 0: as many as the run");
  settings.add("no_progress", no_progress, "no progress bar or lines");
  runtime.add_to(settings);
}

void ReportSettings::complete(const RunDirectory& directory, Settings more) {
  directory.require(directory.config());
  std::string its_data;
  std::int64_t its_limit = 0;
  more.add("data", its_data, "");
  more.add("limit", its_limit, "");
  more.load_json(directory.config(), UnknownKeys::skip);
  if (data.empty()) data = its_data;
  if (limit == 0) limit = its_limit;
}

Command report_command(std::string summary, int (*run)(ReportSettings&)) {
  const auto settings = std::make_shared<ReportSettings>();
  Command command{.name = "report", .summary = std::move(summary)};
  settings->add_to(command.settings);
  command.run = [settings, run] { return run(*settings); };
  return command;
}

void report_after_training(const RunDirectory& run, const std::function<void()>& write) {
  try {
    write();
  } catch (const Error& error) {
    fmt::print(stderr, "{} is left out: {}\n", run.report(), error.what());
  } catch (const Interrupted&) {
    fmt::print(stderr, "interrupted: {} is left out; the command report writes it\n", run.report());
    throw;
  }
}

}  // namespace deft::support
