#include "deft/apps/bench/ops.h"

#include <fmt/format.h>

#include <memory>

#include "deft/apps/bench/conv_size.h"
#include "deft/apps/bench/fma_peak.h"
#include "deft/apps/bench/report.h"
#include "deft/core/autograd.h"
#include "deft/core/random.h"
#include "deft/kernels/error.h"
#include "deft/layers/deform_conv2d.h"

namespace deft::bench {

namespace {

struct OpsSettings {
  std::string filter, shapes = "table";
  CommonSettings common;
};

enum class Op { conv2d, deform_conv2d_v1, deform_conv2d_v2 };
enum class Pass { forward, forward_backward };

struct Row {
  Op op;
  Pass pass;
  ConvSize size;

  const char* op_name() const {
    return op == Op::conv2d ? "conv2d" : op == Op::deform_conv2d_v1 ? "deform_conv2d_v1" : "deform_conv2d_v2";
  }
  const char* pass_name() const { return pass == Pass::forward ? "forward" : "forward_backward"; }
  std::string label() const { return fmt::format("{} {} {}", op_name(), pass_name(), to_string(size)); }
  // Backward is two products of the forward one's size, of which deformable convolution is charged no more.
  double flops() const { return size.flops() * (pass == Pass::forward ? 1 : 3); }
};

// One operation and its operands. Every call uses the same ones, as the other programs in the comparison do.
class Operation {
 public:
  explicit Operation(const Row& row) : row_(row) {
    const auto [n, c, o, size] = row.size;
    const bool backward = row.pass == Pass::forward_backward;
    const auto leaf = [&](Tensor tensor) { return leaves_.emplace_back(tensor.set_requires_grad(backward)); };
    input_ = leaf(randn({n, size, size, c}));
    weight_ = leaf(randn({o, 3, 3, c}));
    bias_ = leaf(randn({o}));
    if (row.op != Op::conv2d) offset_ = leaf(randn({n, size, size, 18}));  // about a pixel
    if (row.op == Op::deform_conv2d_v2) mask_ = leaf(rand({n, size, size, 9}));
    if (backward) output_gradient_ = randn({n, size, size, o});
  }

  void operator()() {
    if (row_.pass == Pass::forward) {
      const NoGrad no_grad;
      output();
      return;
    }
    for (Tensor& leaf : leaves_) leaf.set_grad({});
    output().backward({.gradient = output_gradient_});
  }

 private:
  Tensor output() const {
    if (row_.op == Op::conv2d) return conv2d(input_, weight_, {.bias = bias_, .padding = 1});
    return deform_conv2d(input_, offset_, weight_, {.mask = mask_, .bias = bias_, .padding = 1});
  }

  Row row_;
  std::vector<Tensor> leaves_;
  Tensor input_, weight_, bias_, offset_, mask_, output_gradient_;
};

std::vector<Row> rows_of(const OpsSettings& settings) {
  std::vector<Row> rows;
  for (const ConvSize& size : parse_conv_sizes(settings.shapes)) {
    for (const Pass pass : {Pass::forward, Pass::forward_backward}) {
      for (const Op op : {Op::conv2d, Op::deform_conv2d_v1, Op::deform_conv2d_v2}) {
        const Row row{op, pass, size};
        if (row.label().find(settings.filter) != std::string::npos) rows.push_back(row);
      }
    }
  }
  if (rows.empty()) throw Error(fmt::format("--filter: no row contains '{}'", settings.filter));
  return rows;
}

// On the CPU the peak is measured between the calls, since clocks change within seconds where machines are shared.
void measure(const Row& row, double seconds, Report& report) {
  const Machine& machine = report.machine();
  std::vector<std::function<void()>> pieces = {Operation(row)};
  if (machine.device.is_cpu()) pieces.push_back(run_fma_burst);
  const std::vector<Timing> timings = time_interleaved(pieces, seconds, machine.device);
  const double peak = machine.device.is_cpu() ? fma_burst_gflops(timings.back()) : machine.gflops(matmul_precision());
  const double gflops = 1e-6 * row.flops() / timings[0].median_ms;

  std::vector<std::string> cells = {row.op_name(), row.pass_name(), to_string(row.size)};
  for (std::string& cell : time_cells(timings[0])) cells.push_back(std::move(cell));
  cells.insert(cells.end(), {fmt::format("{:.0f}", gflops), fmt::format("{:.0f}", peak), percent(gflops / peak)});
  nlohmann::ordered_json record = {{"op", row.op_name()}, {"pass", row.pass_name()}, {"n", row.size.n},
                                   {"c", row.size.c},     {"o", row.size.o},         {"size", row.size.size}};
  record.update(to_fields(timings[0]));
  record.update({{"gflops", gflops}, {"peak_share", gflops / peak}});
  if (machine.device.is_cpu()) record["fma_peak_gflops"] = peak;
  report.add(cells, std::move(record));
}

int run(const OpsSettings& settings) {
  const Device device = settings.common.runtime.apply();
  set_default_device(device);
  const std::vector<Row> rows = rows_of(settings);
  Report report(measure_machine(device, settings.common.tiny));
  std::vector<std::string> titles = {"<op", "<pass", "<n,c,o,size"};
  titles.insert(titles.end(), time_titles.begin(), time_titles.end());
  titles.insert(titles.end(), {"GFLOP/s", "peak", "of peak"});
  report.begin(std::move(titles), {16, 16, 12, 0, 7, 18, 5});
  for (const Row& row : rows) measure(row, settings.common.seconds, report);
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command ops_command() {
  const auto settings = std::make_shared<OpsSettings>();
  support::Command command{.name = "ops", .summary = "Ordinary and deformable convolution beside the arithmetic peak"};
  command.settings.add("filter", settings->filter,
                       "only rows that contain this in 'OP PASS N,C,O,SIZE', such as 'v2 forward 64,'");
  command.settings.add("shapes", settings->shapes,
                       "of the 3x3 convolutions: table, or a list n,c,o,size;n,c,o,size of your own");
  settings->common.add_to(command.settings, "each row");
  settings->common.runtime.add_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
