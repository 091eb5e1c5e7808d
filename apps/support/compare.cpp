#include "deft/apps/support/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "deft/apps/support/json.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/table.h"
#include "deft/core/file.h"
#include "deft/kernels/error.h"

namespace deft::support {

namespace {

using Figures = std::vector<std::pair<std::string, std::string>>;  // name, text

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Figures figures(const Json& summary) {
  Figures list = {{"device", summary.at("device").get<std::string>()},
                  {"seed", summary.at("seed").dump()},
                  {"parameters", summary.at("parameters").dump()},
                  {"epochs", summary.at("epochs").dump()},
                  {"training s / epoch", fmt::format("{:.1f}", mean(summary.at("seconds_per_epoch")))},
                  {"test s / epoch", fmt::format("{:.1f}", mean(summary.at("test_seconds_per_epoch")))}};
  for (const auto& [scale, accuracy] : summary.at("per_scale").items()) {
    list.emplace_back("accuracy at " + scale, percent(accuracy));
  }
  list.emplace_back("best mean accuracy", percent(summary.at("best_accuracy")));
  return list;
}

// The names of all figures, those in common first, the last one last.
std::vector<std::string> names_of(const std::vector<Figures>& runs) {
  std::vector<std::string> names;
  for (const Figures& run : runs) {
    for (const auto& [name, text] : run) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      names.insert(&run == &runs.front() ? names.end() : names.end() - 1, name);
    }
  }
  return names;
}

std::string text_of(const Figures& run, const std::string& name) {
  const auto found = std::find_if(run.begin(), run.end(), [&](const auto& figure) { return figure.first == name; });
  return found == run.end() ? "" : found->second;
}

}  // namespace

std::string compare_runs(const std::vector<std::string>& folders) {
  std::vector<std::string> titles = {"<"};
  std::vector<Figures> runs;
  for (const std::string& folder : folders) {
    const std::string path = RunDirectory(folder).summary();
    const Json summary = parse_json(read_file(path), path);
    try {
      runs.push_back(figures(summary));
      titles.push_back(summary.at("model"));
    } catch (const Json::exception&) {
      throw Error(path + ": is not the summary of a finished run");
    }
  }
  const Table table(titles, std::vector<int>(titles.size(), 18));
  std::string text = table.header();
  for (const std::string& name : names_of(runs)) {
    std::vector<std::string> cells = {name};
    for (const Figures& run : runs) cells.push_back(text_of(run, name));
    text += table.row(cells);
  }
  return text;
}

}  // namespace deft::support
