#include "deft/apps/bench/report.h"

#include <fmt/format.h>

#include "deft/core/file.h"
#include "deft/kernels/runtime/instruction_set.h"

namespace deft::bench {

namespace {

nlohmann::ordered_json to_fields(const Machine& machine) {
  nlohmann::ordered_json fields = {
      {"machine", machine.name}, {"device", to_string(machine.device)}, {"copy_gb_s", machine.copy_gb_s}};
  if (machine.tiny) fields["tiny"] = true;
  if (machine.device.is_cpu()) {
    fields["threads"] = machine.threads;
    fields["instruction_set"] = to_string(instruction_set());
    fields["fma_peak_gflops"] = machine.peak_gflops;
  } else {
    fields["matmul_gflops"] = machine.peak_gflops;
    fields["matmul_tf32_gflops"] = machine.tf32_gflops;
  }
  return fields;
}

}  // namespace

void CommonSettings::add_to(support::Settings& settings, const std::string& label) {
  settings.add("filter", filter, "only rows with this text in " + label);
  settings.add("tiny", tiny, tiny_help);
  settings.add("json", json, "file for the records as a JSON list");
}

void CommonSettings::add_to(support::Settings& settings, const std::string& label, const std::string& each) {
  add_to(settings, label);
  settings.add("seconds", seconds, "how long to measure " + each);
}

std::string to_text(double milliseconds) { return fmt::format("{:#.4g}", milliseconds); }

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::vector<std::string> with_time_titles(std::vector<std::string> before, const std::vector<std::string>& after) {
  before.insert(before.end(), {"median ms", "min ms", "10 % to 90 %", "runs"});
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

std::vector<std::string> with_times(std::vector<std::string> before, const Timing& timing,
                                    const std::vector<std::string>& after) {
  before.insert(before.end(), {to_text(timing.median_ms), to_text(timing.min_ms),
                               to_text(timing.low_ms) + " to " + to_text(timing.high_ms), std::to_string(timing.runs)});
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

nlohmann::ordered_json to_fields(const Timing& timing) {
  return {{"median_ms", timing.median_ms},
          {"min_ms", timing.min_ms},
          {"low_ms", timing.low_ms},
          {"high_ms", timing.high_ms},
          {"runs", timing.runs}};
}

Report::Report(const Machine& machine) : machine_(machine) { fmt::print("{}\n", to_string(machine)); }

void Report::begin(std::vector<std::string> titles, const std::vector<int>& widths) {
  table_ = support::Table(std::move(titles), widths, support::Table::Style::markdown);
  fmt::print("\n{}", table_.header());
}

void Report::add(const std::vector<std::string>& cells, nlohmann::ordered_json record) {
  fmt::print("{}", table_.row(cells));
  std::fflush(stdout);
  const nlohmann::ordered_json machine = to_fields(machine_);
  for (const auto& [key, value] : machine.items()) {
    if (!record.contains(key)) record[key] = value;
  }
  records_.push_back(std::move(record));
}

void Report::write(const std::string& file) const {
  if (!file.empty()) write_file(file, records_.dump(2) + "\n");
}

}  // namespace deft::bench
