#include "deft/apps/support/history.h"

#include <fmt/format.h>

#include <algorithm>

#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/machine.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/instruction_set.h"

namespace deft::support {

namespace {

// JSON has no NaN: it is written as null.
double number(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

Json per_scale_json(const Evaluation& test) {
  Json object = Json::object();
  for (const auto& [scale, accuracy] : test.per_scale) object[scale] = accuracy;
  return object;
}

Json record_json(const EpochRecord& record) {
  return {{"epoch", record.epoch},
          {"learning_rate", record.learning_rate},
          {"train_loss", record.train_loss},
          {"train_accuracy", record.train_accuracy},
          {"test_loss", record.test.loss},
          {"test_accuracy", record.test.accuracy},
          {"per_scale", per_scale_json(record.test)},
          {"seconds", record.seconds},
          {"test_seconds", record.test_seconds}};
}

EpochRecord record_from_json(const Json& object) {
  EpochRecord record;
  record.epoch = object.at("epoch").get<std::int64_t>();
  record.learning_rate = number(object.at("learning_rate"));
  record.train_loss = number(object.at("train_loss"));
  record.train_accuracy = number(object.at("train_accuracy"));
  record.test.loss = number(object.at("test_loss"));
  record.test.accuracy = number(object.at("test_accuracy"));
  for (const auto& [scale, accuracy] : object.at("per_scale").items()) {
    record.test.per_scale.emplace_back(scale, number(accuracy));
  }
  record.seconds = number(object.at("seconds"));
  record.test_seconds = number(object.at("test_seconds"));
  return record;
}

}  // namespace

const EpochRecord& History::best() const {
  if (epochs.empty()) throw Error("history: no epoch is done");
  return *std::max_element(epochs.begin(), epochs.end(), [](const EpochRecord& a, const EpochRecord& b) {
    return a.test.accuracy < b.test.accuracy;
  });
}

double History::elapsed(const EpochRecord& record) const {
  double seconds = 0;
  for (const EpochRecord& one : epochs) {
    if (one.epoch <= record.epoch) seconds += one.seconds + one.test_seconds;
  }
  return seconds;
}

std::string to_csv(const History& history, const std::string& evaluation) {
  std::string text = fmt::format(
      "epoch,learning_rate,train_loss,train_accuracy,{0}_loss,{0}_accuracy,train_seconds,{0}_seconds,elapsed_seconds",
      evaluation);
  if (!history.epochs.empty()) {
    for (const auto& [scale, accuracy] : history.epochs.front().test.per_scale) text += ",accuracy_at_" + scale;
  }
  text += "\n";
  for (const EpochRecord& record : history.epochs) {
    text += fmt::format("{},{:.6g},{:.6f},{:.6f},{:.6f},{:.6f},{:.3f},{:.3f},{:.3f}", record.epoch,
                        record.learning_rate, record.train_loss, record.train_accuracy, record.test.loss,
                        record.test.accuracy, record.seconds, record.test_seconds, history.elapsed(record));
    for (const auto& [scale, accuracy] : record.test.per_scale) text += fmt::format(",{:.6f}", accuracy);
    text += "\n";
  }
  return text;
}

std::string to_json(const History& history) {
  Json list = Json::array();
  for (const EpochRecord& record : history.epochs) list.push_back(record_json(record));
  return to_text(list);
}

History history_from_json(const std::string& text, const std::string& source) {
  const Json list = parse_json(text, source);
  History history;
  try {
    for (const Json& object : list) history.epochs.push_back(record_from_json(object));
  } catch (const Json::exception&) {
    throw Error(source + ": the history of epochs in it is not one that this version writes");
  }
  return history;
}

std::string summary_json(const RunInfo& info, const History& history) {
  const EpochRecord& best = history.best();
  Json seconds = Json::array(), test_seconds = Json::array();
  for (const EpochRecord& record : history.epochs) {
    seconds.push_back(record.seconds);
    test_seconds.push_back(record.test_seconds);
  }
  const Json summary = {{"experiment", info.experiment},
                        {"model", info.model},
                        {"epochs", history.epochs.size()},
                        {"best_epoch", best.epoch},
                        {"best_accuracy", best.test.accuracy},
                        {"final_accuracy", history.epochs.back().test.accuracy},
                        {"per_scale", per_scale_json(best.test)},
                        {"seconds_per_epoch", std::move(seconds)},
                        {"test_seconds_per_epoch", std::move(test_seconds)},
                        {"parameters", info.parameters},
                        {"threads", info.threads},
                        {"seed", info.seed},
                        {"device", info.device},
                        {"precision", info.precision},
                        {"conv_algorithm", info.conv_algorithm},
                        {"data", info.data},
                        {"evaluation", info.evaluation},
                        {"instruction_set", to_string(instruction_set())},
                        {"machine", machine_name(Device::parse(info.device))}};
  return to_text(summary, 2) + "\n";
}

}  // namespace deft::support
