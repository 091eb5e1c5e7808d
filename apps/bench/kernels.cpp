#include "deft/apps/bench/kernels.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>

#include "deft/apps/bench/kernel_case.h"
#include "deft/apps/bench/report.h"
#include "deft/kernels/cuda/deform_algorithm.h"

namespace deft::bench {

namespace {

using kernels::DeformAlgorithm;

struct KernelSettings {
  CommonSettings common{
      .seconds = 0.1,
      .tiny_help = "kernels and ceilings at sizes that only try the program; the copy bandwidth is then a cache's"};
};

// Several sets of operands, used in turn, so that no call finds its own in a cache.
class RotatedCall {
 public:
  RotatedCall(const KernelCase& kernel, Device device, bool tiny) : kernel_(kernel), device_(device) {
    const double sets = tiny ? 2 : std::min(std::ceil(rotated_bytes / kernel.traffic()), most_sets);
    sets_.resize(static_cast<std::size_t>(sets));
    for (std::vector<Tensor>& set : sets_) {
      for (const Operand& operand : kernel.operands) set.push_back(operand.make());
    }
  }

  void operator()() {
    kernel_.run(device_, Pointers(sets_[next_]));
    next_ = (next_ + 1) % sets_.size();
  }

 private:
  // More than any GPU's second-level cache; as many sets of the smallest operands are not worth making.
  static constexpr double rotated_bytes = 256 << 20, most_sets = 128;

  const KernelCase& kernel_;
  Device device_;
  std::vector<std::vector<Tensor>> sets_;
  std::size_t next_ = 0;
};

// One way of several to run a kernel on a GPU.
struct Variant {
  MatmulPrecision precision = MatmulPrecision::highest;
  DeformAlgorithm algorithm = DeformAlgorithm::automatic;

  const char* precision_name() const { return precision == MatmulPrecision::tf32 ? "TF32" : "float32"; }
  const char* algorithm_name() const {
    if (algorithm == DeformAlgorithm::automatic) return "automatic";
    return algorithm == DeformAlgorithm::panel ? "panel" : "fused";
  }
  void choose() const {
    set_matmul_precision(precision);
    if constexpr (built_with_cuda) kernels::set_deform_algorithm(algorithm);
  }
};

std::vector<Variant> variants_of(const KernelCase& kernel, Device device) {
  if (device.is_cpu() || kernel.flops == 0) return {{}};
  std::vector<Variant> variants;
  for (const MatmulPrecision precision : {MatmulPrecision::highest, MatmulPrecision::tf32}) {
    variants.push_back({precision});
    if (kernel.op.rfind("deform", 0) != 0) continue;
    variants.push_back({precision, DeformAlgorithm::panel});
    variants.push_back({precision, DeformAlgorithm::fused});
  }
  return variants;
}

void begin_products(Report& report) {
  report.begin(
      {"<op", "<pass", "<size", "<precision", "<algorithm", "ms", "least ms", "GFLOP/s", "of peak", "GB/s", "of copy"},
      {16, 15, 14, 9, 9, 8, 8, 8, 0, 0, 0});
}

void begin_others(Report& report) {
  report.begin({"<op", "<pass", "<size", "ms", "least ms", "GB/s", "of copy"}, {21, 10, 12, 8, 8, 0, 0});
}

void add(const KernelCase& kernel, const Variant& variant, const Timing& timing, Report& report) {
  const Machine& machine = report.machine();
  const double gb_s = 1e-6 * kernel.traffic() / timing.median_ms, copy_share = gb_s / machine.copy_gb_s;
  nlohmann::ordered_json record = {{"op", kernel.op},           {"pass", kernel.pass}, {"sizes", kernel.sizes},
                                   {"bytes", kernel.traffic()}, {"gb_per_s", gb_s},    {"copy_share", copy_share}};
  std::vector<std::string> cells = {kernel.op, kernel.pass, kernel.sizes};
  if (kernel.flops > 0) cells.insert(cells.end(), {variant.precision_name(), variant.algorithm_name()});
  cells.insert(cells.end(), {to_text(timing.median_ms), to_text(timing.min_ms)});
  if (kernel.flops > 0) {
    const double gflops = 1e-6 * kernel.flops / timing.median_ms;
    const double peak_share = gflops / machine.gflops(variant.precision);
    record.update({{"precision", variant.precision_name()},
                   {"algorithm", variant.algorithm_name()},
                   {"flops", kernel.flops},
                   {"gflops", gflops},
                   {"peak_share", peak_share}});
    cells.insert(cells.end(), {fmt::format("{:.0f}", gflops), percent(peak_share)});
  }
  if (kernel.n > 0) record.update({{"n", kernel.n}, {"c", kernel.c}, {"o", kernel.o}, {"size", kernel.size}});
  record.update(to_fields(timing));
  cells.insert(cells.end(), {fmt::format("{:.0f}", gb_s), percent(copy_share)});
  report.add(cells, std::move(record));
}

void measure(const KernelCase& kernel, const KernelSettings& settings, Report& report) {
  const Device device = report.machine().device;
  RotatedCall call(kernel, device, settings.common.tiny);
  const std::vector<Variant> variants = variants_of(kernel, device);
  std::vector<std::function<void()>> pieces;
  for (const Variant& variant : variants) {
    pieces.push_back([&call, variant] {
      variant.choose();
      call();
    });
  }
  const std::vector<Timing> timings = time_interleaved(pieces, settings.common.seconds, device);
  for (std::size_t i = 0; i < variants.size(); ++i) add(kernel, variants[i], timings[i], report);
}

std::vector<KernelCase> cases_of(const KernelSettings& settings) {
  const ImageSize images = settings.common.tiny ? ImageSize{2, 6, 8} : ImageSize{64, 56, 128};
  std::vector<KernelCase> cases = product_cases(settings.common.tiny);
  for (std::vector<KernelCase>& more : std::array{layer_cases(images), elementwise_cases(images)}) {
    std::move(more.begin(), more.end(), std::back_inserter(cases));
  }
  return keep_matching(std::move(cases), settings.common.filter);
}

int run(const KernelSettings& settings) {
  const Device device = settings.common.runtime.apply();
  set_default_device(device);
  const std::vector<KernelCase> cases = cases_of(settings);
  Report report(measure_machine(device, settings.common.tiny));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const bool product = cases[i].flops > 0;
    if (i == 0 || product != (cases[i - 1].flops > 0)) product ? begin_products(report) : begin_others(report);
    measure(cases[i], settings, report);
  }
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command kernels_command() {
  const auto settings = std::make_shared<KernelSettings>();
  support::Command command{.name = "kernels", .summary = "Every kernel against copy bandwidth and arithmetic peak"};
  settings->common.add_to(command.settings, "'OP PASS SIZE'", "each kernel");
  settings->common.runtime.add_device_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
