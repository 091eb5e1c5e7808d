#include "deft/apps/support/load_data.h"

#include <fmt/format.h>

#include <cstdio>

#include "deft/kernels/runtime/error.h"

namespace deft::support {
namespace {

constexpr std::int64_t classes = 10;

void check(const Dataset& dataset, bool quiet) {
  if (dataset.classes() != classes) {
    throw Error(
        fmt::format("{}: {} with {} classes, expected {}", dataset.source, dataset.name, dataset.classes(), classes));
  }
  if (!dataset.note.empty() && !quiet) fmt::print(stderr, "note: {}\n", dataset.note);
}

}  // namespace

Dataset load_ten_classes(const std::string& name, Part part, const std::string& data, std::int64_t limit, bool quiet) {
  Dataset dataset = deft::load_data(name, part, data, limit);
  check(dataset, quiet);
  return dataset;
}

TrainTest load_ten_classes(const std::string& name, const std::string& data, std::int64_t limit, bool quiet) {
  TrainTest parts = deft::load_data(name, data, limit);
  check(parts.train, quiet);
  check(parts.test, quiet || parts.test.note == parts.train.note);
  return parts;
}

}  // namespace deft::support
