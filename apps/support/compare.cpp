#include "deft/apps/support/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/table.h"
#include "deft/kernels/runtime/error.h"

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
  const std::string what = summary.at("per_scale").empty() ? summary.value("evaluation", "test") : "mean";
  list.emplace_back(fmt::format("best {} accuracy", what), percent(summary.at("best_accuracy")));
  return list;
}

// Calls read(summary) with what summary.json of every run holds.
template <class Read>
void for_summaries(const std::vector<std::string>& folders, const Read& read) {
  for (const std::string& folder : folders) {
    const std::string path = RunDirectory(folder).summary();
    const Json summary = read_object(path);
    try {
      read(summary);
    } catch (const Json::exception&) {
      throw Error(path + ": is not the summary of a finished run");
    }
  }
}

// Different texts in the order in which they come.
struct Distinct {
  std::vector<std::string> texts;

  std::size_t position(const std::string& text) {
    const auto at = static_cast<std::size_t>(std::find(texts.begin(), texts.end(), text) - texts.begin());
    if (at == texts.size()) texts.push_back(text);
    return at;
  }
};

struct RunName {
  std::string experiment, model, images, evaluation;
};

std::vector<RunName> names_of_runs(const std::vector<std::string>& folders) {
  std::vector<RunName> names;
  for_summaries(folders, [&](const Json& summary) {
    const std::string data = summary.at("data");
    names.push_back(
        {summary.at("experiment"), summary.at("model"), data.substr(0, data.find(',')), summary.at("evaluation")});
  });
  return names;
}

// A chart with a line per run, whose points are those of points(folder). `axis` is the name of x.
template <class Points>
LineChart chart_of(const std::vector<std::string>& folders, const std::string& axis, const Points& points) {
  const std::vector<RunName> runs = names_of_runs(folders);
  const auto same = [&](std::string RunName::*part) {
    return std::all_of(runs.begin(), runs.end(), [&](const RunName& run) { return run.*part == runs.front().*part; });
  };
  const bool one_experiment = same(&RunName::experiment), one_set = same(&RunName::images);
  LineChart chart{.title = (one_experiment ? runs.front().experiment + ": " : "") + "accuracy by " + axis,
                  .x_label = axis,
                  .y_label = same(&RunName::evaluation) ? runs.front().evaluation + " accuracy in %" : "accuracy in %"};
  Distinct names, colors;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& [experiment, model, images, evaluation] = runs[i];
    const std::string prefix = one_experiment ? "" : experiment + ", ";
    const std::string name = prefix + (one_set ? "" : images + ", ") + model;
    const std::size_t known = names.texts.size();
    chart.series.push_back({.name = names.position(name) == known ? name : "",
                            .points = points(folders[i]),
                            .dashed = model == "regular",
                            .color = colors.position(prefix + (one_set ? model : images))});
  }
  return chart;
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
  for_summaries(folders, [&](const Json& summary) {
    runs.push_back(figures(summary));
    titles.push_back(summary.at("model"));
  });
  const Table table(titles, std::vector<int>(titles.size(), 18));
  std::string text = table.header();
  for (const std::string& name : names_of(runs)) {
    std::vector<std::string> cells = {name};
    for (const Figures& run : runs) cells.push_back(text_of(run, name));
    text += table.row(cells);
  }
  return text;
}

LineChart accuracy_by_epoch(const std::vector<std::string>& folders) {
  return chart_of(folders, "epoch", [](const std::string& folder) {
    const RunDirectory run(folder);
    run.require(run.checkpoint());
    std::vector<Point> points;
    for (const EpochRecord& record : read_history(run.checkpoint()).epochs) {
      points.push_back({static_cast<double>(record.epoch), 100 * record.test.accuracy});
    }
    return points;
  });
}

LineChart accuracy_by_scale(const std::vector<std::string>& folders) {
  return chart_of(folders, "scale", [](const std::string& folder) {
    const std::string path = RunDirectory(folder).summary();
    const Json scales = read_object(path).value("per_scale", Json::object());
    std::vector<Point> points;
    for (const auto& [scale, accuracy] : scales.items()) {
      const double x = std::strtod(scale.c_str(), nullptr);
      points.push_back({x, 100 * accuracy.get<double>()});
    }
    if (points.size() < 2) throw Error(path + ": the run was not tested at several scales");
    return points;
  });
}

}  // namespace deft::support
