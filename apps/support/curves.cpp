#include "deft/apps/support/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace deft::support {

namespace {

using Value = std::function<double(const EpochRecord&)>;

// Of the data their name alone, which a comma ends.
std::string name_of(const RunInfo& info) {
  return fmt::format("{}, {}, {}, seed {}", info.experiment, info.data.substr(0, info.data.find(',')), info.model,
                     info.seed);
}

void add(LineChart& chart, const std::string& name, const History& history, const Value& value) {
  Series series{.name = name, .points = {}, .color = chart.series.size()};
  for (const EpochRecord& record : history.epochs) {
    series.points.push_back({static_cast<double>(record.epoch), value(record)});
  }
  const bool measured =
      std::any_of(series.points.begin(), series.points.end(), [](const Point& at) { return std::isfinite(at.y); });
  if (measured) chart.series.push_back(std::move(series));
}

}  // namespace

LineChart loss_chart(const RunInfo& info, const History& history) {
  LineChart chart{.title = name_of(info) + ": loss", .x_label = "epoch", .y_label = "cross entropy", .series = {}};
  add(chart, "training", history, [](const EpochRecord& record) { return record.train_loss; });
  add(chart, info.evaluation, history, [](const EpochRecord& record) { return record.test.loss; });
  return chart;
}

LineChart accuracy_chart(const RunInfo& info, const History& history) {
  const EpochRecord& best = history.best();
  LineChart chart{.title = name_of(info) + ": accuracy", .x_label = "epoch", .y_label = "accuracy in %", .series = {}};
  add(chart, "training", history, [](const EpochRecord& record) { return 100 * record.train_accuracy; });
  add(chart, fmt::format("{}, best {:.2f} % in epoch {}", info.evaluation, 100 * best.test.accuracy, best.epoch),
      history, [](const EpochRecord& record) { return 100 * record.test.accuracy; });
  return chart;
}

}  // namespace deft::support
