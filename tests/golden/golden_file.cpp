#include "golden/golden_file.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "deft/core/safetensors.h"
#include "deft/core/shape_ops.h"
#include "deft/kernels/runtime/error.h"

using namespace deft;

Tensor GoldenCase::tensor(const std::string& short_name, DType dtype) const {
  const auto found = tensors.find(short_name);
  if (found == tensors.end()) throw Error(name + ": it has no tensor '" + short_name + "'");
  return is_floating(found->second.dtype()) ? found->second.to(dtype) : found->second;
}

namespace {

std::vector<std::string> golden_files() {
  if (const char* path = std::getenv("DEFT_GOLDEN")) return {path};
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(DEFT_GOLDEN_FOLDER)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void append_cases(const std::string& path, std::vector<GoldenCase>& cases) {
  const Safetensors file = load_safetensors(path);
  for (const nlohmann::json& attributes : nlohmann::json::parse(file.metadata.at("cases"))) {
    GoldenCase golden{attributes.at("name"), attributes.at("op"), attributes, {}};
    const std::string prefix = golden.name + "/";
    for (const auto& [name, tensor] : file.tensors) {
      if (name.rfind(prefix, 0) == 0) golden.tensors.emplace(name.substr(prefix.size()), tensor.to(default_device()));
    }
    cases.push_back(std::move(golden));
  }
}

}  // namespace

std::vector<GoldenCase> read_golden_cases() {
  std::vector<GoldenCase> cases;
  for (const std::string& path : golden_files()) append_cases(path, cases);
  if (cases.empty()) throw Error(DEFT_GOLDEN_FOLDER " has no golden file, expected at least one with cases");
  return cases;
}

Tensor to_channels_last(const Tensor& tensor) { return tensor.dim() == 4 ? permute(tensor, {0, 2, 3, 1}) : tensor; }
Tensor to_channels_first(const Tensor& tensor) { return tensor.dim() == 4 ? permute(tensor, {0, 3, 1, 2}) : tensor; }

double relative_error(const Tensor& actual, const Tensor& expected) {
  if (actual.shape() != expected.shape()) {
    throw Error("relative_error: shapes " + to_string(actual.shape()) + " and " + to_string(expected.shape()));
  }
  const std::vector<double> a = actual.detach().to(DType::float64).to_vector<double>();
  const std::vector<double> b = expected.detach().to(DType::float64).to_vector<double>();
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::isnan(a[i]) || std::isnan(b[i])) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference == 0 ? 0 : difference / largest;
}
