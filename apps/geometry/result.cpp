#include "deft/apps/geometry/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/table.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps::geometry {

namespace {

using support::Json;
using support::read_object;

// Of a share, rounded, since 100 · 0.9887 is not 98.87 in binary.
double percent(const Json& share) { return std::round(1e8 * share.get<double>()) / 1e6; }

double total(const Json& seconds) {
  double sum = 0;
  for (const Json& value : seconds) sum += value.get<double>();
  return sum;
}

Json record_of(const Cell& cell, const Json& summary) {
  Json record = {{"experiment", e3().name},
                 {"cell", cell.name()},
                 {"row", cell.row->title},
                 {"model", cell.model},
                 {"seed", summary.at("seed")},
                 {"accuracy", percent(summary.at("final_accuracy"))},
                 {"published", e3().published(cell.row->title, cell.model)},
                 {"best_accuracy", percent(summary.at("best_accuracy"))},
                 {"best_epoch", summary.at("best_epoch")},
                 {"epochs", summary.at("epochs")},
                 {"seconds", total(summary.at("seconds_per_epoch")) + total(summary.at("test_seconds_per_epoch"))}};
  for (const char* name :
       {"parameters", "device", "precision", "conv_algorithm", "threads", "instruction_set", "machine", "data"}) {
    record[name] = summary.at(name);
  }
  return record;
}

std::string text(double value) { return std::isnan(value) ? "–" : fmt::format("{:.2f} %", value); }

std::string difference(double value) { return std::isnan(value) ? "–" : fmt::format("{:+.2f}", value); }

}  // namespace

std::string cell_folder(const std::string& out, const Cell& cell) { return out + "/" + cell.name(); }

bool has_epochs(const std::string& folder, std::int64_t epochs) {
  const std::string path = support::RunDirectory(folder).summary();
  if (!std::filesystem::exists(path)) return false;
  const Json done = read_object(path).value("epochs", Json(0));
  return done.is_number_integer() && done.get<std::int64_t>() >= epochs;
}

bool has_settings(const std::string& folder, const std::string& config) {
  const std::string path = support::RunDirectory(folder).config();
  if (!std::filesystem::exists(path)) return false;
  const Json theirs = read_object(path), ours = support::parse_json(config, "settings");
  const auto same = [&](const char* name) { return theirs.value(name, Json()) == ours.at(name); };
  const auto names = {"channels", "epochs", "batch_size", "lr", "gamma", "seed", "limit", "max_steps"};
  return std::all_of(names.begin(), names.end(), same);
}

void write_results(const std::string& out, const std::set<std::string>& done) {
  Json records = Json::array();
  for (const Cell& cell : cells()) {
    if (done.count(cell.name()) == 0) continue;
    const std::string path = support::RunDirectory(cell_folder(out, cell)).summary();
    const Json summary = read_object(path);
    try {
      records.push_back(record_of(cell, summary));
    } catch (const Json::exception&) {
      throw Error(path + ": is not the summary of a finished run");
    }
  }
  write_file(support::RunDirectory(out).summary(),
             support::to_text({{"experiment", e3().name}, {"cells", std::move(records)}}, 2) + "\n");
}

std::string result_table(const std::string& out) {
  std::map<std::string, double> accuracy;
  const Json summary = read_object(support::RunDirectory(out).summary());
  for (const Json& record : summary.at("cells")) {
    accuracy[record.at("cell")] = record.at("accuracy");
  }
  const auto ours = [&](const Row& row, const char* model) {
    const auto found = accuracy.find(Cell{&row, model}.name());
    return found == accuracy.end() ? NAN : found->second;
  };
  const support::Table table({"<accuracy", "regular", "published", "deform-v1", "published", "difference", "published"},
                             {28});
  std::string lines = table.header();
  for (const Row& row : e3().rows) {
    const double regular = ours(row, "regular"), deformable = ours(row, "deform-v1");
    const double published_regular = e3().published(row.title, "regular"),
                 published_deformable = e3().published(row.title, "deform-v1");
    lines += table.row({row.title, text(regular), text(published_regular), text(deformable), text(published_deformable),
                        difference(deformable - regular), difference(published_deformable - published_regular)});
  }
  return lines;
}

}  // namespace deft::apps::geometry
