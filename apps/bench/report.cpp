#include "deft/apps/bench/report.h"

#include <fmt/format.h>

namespace deft::bench {

namespace {

nlohmann::ordered_json fields_of(const Machine& machine) {
  nlohmann::ordered_json fields = {
      {"machine", machine.name}, {"device", to_string(machine.device)}, {"copy_gb_s", machine.copy_gb_s}};
  if (machine.device.is_cpu()) {
    fields["threads"] = machine.threads;
    fields["fma_peak_gflops"] = machine.peak_gflops;
  } else {
    fields["matmul_gflops"] = machine.peak_gflops;
    fields["matmul_tf32_gflops"] = machine.tf32_gflops;
  }
  return fields;
}

}  // namespace

std::string to_text(double milliseconds) { return fmt::format("{:#.4g}", milliseconds); }

std::string to_json(const std::vector<Record>& records, const Machine& machine) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Record& record : records) {
    nlohmann::ordered_json fields = record.what;
    fields.update({{"median_ms", record.timing.median_ms},
                   {"min_ms", record.timing.min_ms},
                   {"low_ms", record.timing.low_ms},
                   {"high_ms", record.timing.high_ms},
                   {"runs", record.timing.runs}});
    fields.update(fields_of(machine));
    list.push_back(fields);
  }
  return list.dump(2) + "\n";
}

}  // namespace deft::bench
