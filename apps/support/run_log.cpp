#include "deft/apps/support/run_log.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "deft/apps/support/curves.h"
#include "deft/apps/support/detail/json.h"
#include "deft/core/file.h"

namespace deft::support {

namespace {

constexpr double pixels_per_unit = 1.5;

std::vector<std::pair<std::string, double>> scalars(const EpochRecord& record, const std::string& evaluation) {
  std::vector<std::pair<std::string, double>> values = {{"loss/train", record.train_loss},
                                                        {"loss/" + evaluation, record.test.loss},
                                                        {"accuracy/train", record.train_accuracy},
                                                        {"accuracy/" + evaluation, record.test.accuracy},
                                                        {"learning_rate", record.learning_rate},
                                                        {"seconds/train", record.seconds},
                                                        {"seconds/" + evaluation, record.test_seconds}};
  for (const auto& [scale, accuracy] : record.test.per_scale) {
    values.emplace_back("accuracy_at_scale/" + scale, accuracy);
  }
  std::erase_if(values, [](const auto& value) { return std::isnan(value.second); });  // not measured
  return values;
}

}  // namespace

RunLog::RunLog(RunDirectory directory, RunInfo info) : directory_(std::move(directory)), info_(std::move(info)) {}

void RunLog::start(const History& history) {
  if (can_write_events()) directory_.remove_events();
  events_.reset();
  for (const EpochRecord& record : history.epochs) add_event(history, record);
  if (history.epochs.empty()) return;
  write_log(history);
  if (!summarises(history)) write_summary(history);
}

void RunLog::add_epoch(const History& history) {
  add_event(history, history.epochs.back());
  write_log(history);
  write_summary(history);
}

void RunLog::write_log(const History& history) const {
  write_file(directory_.log(), to_csv(history, info_.evaluation));
  if (can_draw()) {
    write_file(directory_.loss_chart(), draw(loss_chart(info_, history)).png(pixels_per_unit));
    write_file(directory_.accuracy_chart(), draw(accuracy_chart(info_, history)).png(pixels_per_unit));
  }
}

void RunLog::write_summary(const History& history) const {
  write_file(directory_.summary(), summary_json(info_, history));
}

bool RunLog::summarises(const History& history) const {
  const std::string path = directory_.summary();
  return std::filesystem::exists(path) && read_object(path).value("epochs", Json()) == history.epochs.size();
}

void RunLog::add_event(const History& history, const EpochRecord& record) {
  if (!can_write_events()) return;
  if (!events_) events_.emplace(directory_.path());
  const double seconds_ago = history.elapsed(history.epochs.back()) - history.elapsed(record);
  events_->add_scalars(record.epoch, scalars(record, info_.evaluation), seconds_ago);
}

std::string left_out_of_run_log() {
  std::string text;
  if (!can_draw()) text += "loss.png and accuracy.png (built without cairo)";
  if (!can_write_events()) {
    text += fmt::format("{}TensorBoard's event file (built without protobuf)", text.empty() ? "" : ", ");
  }
  return text.empty() ? text : "left out: " + text + "\n";
}

}  // namespace deft::support
