#include "deft/apps/bench/ops.h"

#include <fmt/format.h>

#include <memory>

#include "deft/apps/bench/conv_operation.h"
#include "deft/apps/bench/fma_peak.h"
#include "deft/apps/bench/report.h"

namespace deft::bench {

namespace {

struct OpsSettings {
  std::string shapes = "table";
  CommonSettings common;
};

std::vector<ConvCase> cases_of(const OpsSettings& settings, Device device) {
  std::vector<ConvCase> cases;
  for (const ConvSize& size : parse_conv_sizes(settings.shapes)) {
    for (const Pass pass : {Pass::forward, Pass::forward_backward}) {
      for (const ConvOp op : conv_ops(device)) cases.push_back({op, pass, size});
    }
  }
  return keep_matching(std::move(cases), settings.common.filter);
}

// On the CPU the peak is measured between the calls, since clocks change within seconds where machines are shared.
void measure(const ConvCase& one, const CommonSettings& settings, Report& report) {
  const Machine& machine = report.machine();
  std::vector<std::function<void()>> pieces = {ConvOperation(one)};
  if (machine.device.is_cpu()) pieces.push_back(run_fma_burst);
  const std::vector<Timing> timings = time_interleaved(pieces, settings.seconds, machine.device);
  const Timing& timing = timings[0];
  const double peak = machine.device.is_cpu() ? fma_burst_gflops(timings.back()) : machine.gflops(matmul_precision());
  const double gflops = 1e-6 * one.flops() / timing.median_ms;

  nlohmann::ordered_json record = to_fields(one);
  record["precision"] = settings.runtime.precision;
  record.update(to_fields(timing));
  record.update({{"gflops", gflops}, {"peak_share", gflops / peak}});
  if (machine.device.is_cpu()) record["fma_peak_gflops"] = peak;
  report.add(with_times({to_string(one.op), to_string(one.pass), to_string(one.size)}, timing,
                        {fmt::format("{:.0f}", gflops), fmt::format("{:.0f}", peak), percent(gflops / peak)}),
             std::move(record));
}

int run(const OpsSettings& settings) {
  const Device device = settings.common.runtime.apply();
  set_default_device(device);
  const std::vector<ConvCase> cases = cases_of(settings, device);
  Report report(measure_machine(device, settings.common.tiny));
  report.begin(with_time_titles({"<op", "<pass", "<n,c,o,size"}, {"GFLOP/s", "peak", "of peak"}),
               {16, 16, 12, 0, 7, 18, 5});
  for (const ConvCase& one : cases) measure(one, settings.common, report);
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command ops_command() {
  const auto settings = std::make_shared<OpsSettings>();
  support::Command command{.name = "ops", .summary = "Ordinary and deformable convolution beside the arithmetic peak"};
  command.settings.add("shapes", settings->shapes,
                       "of the 3x3 convolutions: table, or a list n,c,o,size;n,c,o,size of your own");
  settings->common.add_to(command.settings, "'OP PASS N,C,O,SIZE', such as 'v2 forward 64,'", "each row");
  settings->common.runtime.add_device_to(command.settings);
  settings->common.runtime.add_precision_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
