// Reading golden files: cases of operations with inputs, outputs and gradients computed elsewhere.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deft/core/tensor.h"

/// One case: its attributes and its tensors by their short names, as the file has them (NCHW).
struct GoldenCase {
  std::string name, op;
  nlohmann::json attributes;
  std::map<std::string, deft::Tensor> tensors;

  bool has(const std::string& tensor) const { return tensors.count(tensor) > 0; }
  /// The tensor, floating ones converted to `dtype`. Throws Error when the case has none of this name.
  deft::Tensor tensor(const std::string& name, deft::DType dtype) const;
};

/// All cases of the file that DEFT_GOLDEN names; when it is not set, of every .safetensors file in tests/golden. Throws
/// Error for a damaged file and when there are no cases.
std::vector<GoldenCase> read_golden_cases();

/// Images between the file's NCHW and deft's NHWC; also weights [O, C, kH, kW] and [O, kH, kW, C]. Tensors of other
/// than four axes are returned as they are.
deft::Tensor to_channels_last(const deft::Tensor& tensor);
deft::Tensor to_channels_first(const deft::Tensor& tensor);

/// max|a − b| / max|b|, the project's measure of numerical error; 0 when both are empty. NaNs must match.
double relative_error(const deft::Tensor& actual, const deft::Tensor& expected);
