#include "deft/apps/bench/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "deft/apps/bench/conv_operation.h"
#include "deft/apps/bench/process_memory.h"
#include "deft/apps/bench/report.h"
#include "deft/apps/bench/train_step.h"
#include "deft/kernels/runtime/allocator.h"

namespace deft::bench {

namespace {

struct MemorySettings {
  std::string shapes = "64,32,32,28;32,64,64,32;8,128,128,56";
  std::int64_t batch_size = 0;
  CommonSettings common;
};

// Something to measure. The cases of a group do the same with other convolutions, one of them with ordinary ones.
struct MemoryCase {
  std::string label, group;
  bool ordinary;
  nlohmann::ordered_json fields;
  std::function<std::function<void()>(Device)> make, make_small;  // small: one image
};

const std::string& to_string(const MemoryCase& one) { return one.label; }

// It takes a while until threads have happened to need the most scratch memory at once.
constexpr int first_steps = 10, steady_steps = 10;

MemoryCase conv_case(ConvOp op, const ConvSize& size) {
  const ConvCase one{op, Pass::forward_backward, size};
  ConvCase small = one;
  small.size.n = 1;
  return {to_string(one),
          to_string(size),
          op == ConvOp::conv2d,
          to_fields(one),
          [one](Device) { return ConvOperation(one); },
          [small](Device) { return ConvOperation(small); }};
}

MemoryCase net_case(const NetCase& one) {
  NetCase small = one;
  small.batch_size = 1;
  return {fmt::format("{} batch {}", to_string(one), one.batch_size),
          one.experiment->name,
          one.model == "regular",
          to_fields(one),
          [one](Device device) { return make_step(one, device); },
          [small](Device device) { return make_step(small, device); }};
}

std::vector<MemoryCase> cases_of(const MemorySettings& settings, Device device) {
  std::vector<MemoryCase> cases;
  for (const ConvSize& size : parse_conv_sizes(settings.shapes)) {
    for (const ConvOp op : conv_ops(device)) cases.push_back(conv_case(op, size));
  }
  for (const NetCase& one : net_cases(settings.batch_size)) cases.push_back(net_case(one));
  return keep_matching(std::move(cases), settings.common.filter);
}

// A step on one image comes first: program code, stacks of threads and the like are not what a step takes.
MemoryUse measure(const MemoryCase& one, const support::RuntimeSettings& runtime) {
  const Device device = runtime.apply();
  set_default_device(device);
  one.make_small(device)();
  empty_cache(device);
  const std::int64_t resident = resident_bytes(), in_use = memory_stats(device).in_use;

  const std::function<void()> step = one.make(device);
  for (int i = 0; i < first_steps; ++i) step();
  reset_peak_memory(device);
  const std::int64_t allocations = memory_stats(device).allocations;
  for (int i = 0; i < steady_steps; ++i) step();
  const MemoryStats stats = memory_stats(device);
  return {stats.peak_in_use - in_use, stats.in_use + stats.cached - in_use, peak_resident_bytes() - resident,
          stats.allocations - allocations};
}

std::string mebibytes(std::int64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / (1 << 20)); }

// "1.23", or "–" where --filter left the group's ordinary case out.
std::string times_ordinary(const std::vector<MemoryCase>& cases, const std::vector<MemoryUse>& uses, std::size_t i,
                           std::int64_t MemoryUse::*bytes) {
  const auto ordinary = std::find_if(
      cases.begin(), cases.end(), [&](const MemoryCase& one) { return one.ordinary && one.group == cases[i].group; });
  if (ordinary == cases.end()) return "–";
  const MemoryUse& base = uses[static_cast<std::size_t>(ordinary - cases.begin())];
  if (base.*bytes <= 0) return "–";
  return fmt::format("{:.2f}", static_cast<double>(uses[i].*bytes) / static_cast<double>(base.*bytes));
}

int run(const MemorySettings& settings) {
  const std::vector<MemoryCase> cases = cases_of(settings, Device::parse(settings.common.runtime.device));
  std::vector<MemoryUse> uses;
  for (const MemoryCase& one : cases) {
    uses.push_back(in_child_process([&] { return measure(one, settings.common.runtime); }));
  }
  Report report(measure_machine(settings.common.runtime.apply(), settings.common.tiny));
  fmt::print(
      "\nMiB of a repeated step, beyond those of a step on one image before; times: of the ordinary convolution\n");
  report.begin({"<step", "peak", "times", "held", "resident", "times", "requests to the system"},
               {46, 7, 0, 7, 8, 0, 0});
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const MemoryUse& use = uses[i];
    const auto times = [&](std::int64_t MemoryUse::*bytes) { return times_ordinary(cases, uses, i, bytes); };
    nlohmann::ordered_json record = cases[i].fields;
    record.update({{"peak_bytes", use.peak},
                   {"held_bytes", use.held},
                   {"peak_resident_bytes", use.peak_resident},
                   {"system_allocations", use.allocations},
                   {"steps", steady_steps}});
    report.add({cases[i].label, mebibytes(use.peak), times(&MemoryUse::peak), mebibytes(use.held),
                mebibytes(use.peak_resident), times(&MemoryUse::peak_resident), std::to_string(use.allocations)},
               std::move(record));
  }
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command memory_command() {
  const auto settings = std::make_shared<MemorySettings>();
  support::Command command{.name = "memory", .summary = "Peak memory of convolutions and training steps"};
  command.settings.add("shapes", settings->shapes, "of the 3x3 convolutions: n,c,o,size;n,c,o,size or table");
  command.settings.add("batch_size", settings->batch_size, "images per step of the nets, 0: as in the experiment");
  settings->common.add_to(command.settings, "the row's name, such as 'E0' or 'conv2d_v2'");
  settings->common.runtime.add_device_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
