#include "deft/apps/experiments/experiment.h"

#include <deft_published.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "deft/kernels/runtime/error.h"

namespace deft::apps {

std::vector<TestSet> Experiment::final_tests() const {
  std::vector<TestSet> sets = training.tests;
  if (tuning) sets.insert(sets.end(), tuning->tests.begin(), tuning->tests.end());
  return sets;
}

double Experiment::published(const std::string& row, const std::string& model) const {
  static const nlohmann::json all = nlohmann::json::parse(published_json);
  const nlohmann::json::json_pointer place = nlohmann::json::json_pointer() / name / row / model;
  if (!all.contains(place)) throw Error(fmt::format("{}: nothing was published of '{}', {}", name, row, model));
  return all.at(place).get<double>();
}

const std::vector<const Experiment*>& experiments() {
  static const std::vector<const Experiment*> all = {&e0(), &e1(), &e2(), &e3(), &e4()};
  return all;
}

const Experiment& experiment(const std::string& name) {
  for (const Experiment* one : experiments()) {
    if (one->name == name) return *one;
  }
  throw Error(fmt::format("experiment is '{}', expected {}", name, fmt::join(experiment_names(), ", ")));
}

std::vector<std::string> experiment_names(const std::function<bool(const Experiment&)>& keep) {
  std::vector<std::string> names;
  for (const Experiment* one : experiments()) {
    if (!keep || keep(*one)) names.push_back(one->name);
  }
  return names;
}

}  // namespace deft::apps
