#include "deft/apps/bench/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "deft/apps/bench/fma_peak.h"
#include "deft/apps/support/machine.h"
#include "deft/apps/support/table.h"
#include "deft/kernels/parallel_for.h"

namespace deft::bench {

Machine measure_machine(Device device) { return {support::machine_name(device), num_threads(), fma_peak_gflops()}; }

std::string to_string(const Machine& machine) {
  return fmt::format("{}; {} thread{}: {:.0f} GFLOP/s of independent fused multiply-adds\n", machine.name,
                     machine.threads, machine.threads == 1 ? "" : "s", machine.fma_peak_gflops);
}

std::string to_table(const std::vector<Record>& records) {
  const support::Table table({"<op", "<model", "batch", "median ms", "min ms", "10 % to 90 %", "runs"},
                             {16, 10, 0, 0, 7, 14, 0});
  std::string text = table.header();
  for (const Record& record : records) {
    const Timing& timing = record.timing;
    text += table.row({record.op, record.model, std::to_string(record.n), fmt::format("{:.2f}", timing.median_ms),
                       fmt::format("{:.2f}", timing.min_ms),
                       fmt::format("{:.2f} to {:.2f}", timing.low_ms, timing.high_ms), std::to_string(timing.runs)});
  }
  return text;
}

std::string to_json(const std::vector<Record>& records, const Machine& machine) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Record& record : records) {
    list.push_back({{"op", record.op},
                    {"pass", record.pass},
                    {"model", record.model},
                    {"n", record.n},
                    {"threads", machine.threads},
                    {"median_ms", record.timing.median_ms},
                    {"min_ms", record.timing.min_ms},
                    {"low_ms", record.timing.low_ms},
                    {"high_ms", record.timing.high_ms},
                    {"runs", record.timing.runs},
                    {"fma_peak_gflops", machine.fma_peak_gflops},
                    {"machine", machine.name}});
  }
  return list.dump(2) + "\n";
}

}  // namespace deft::bench
