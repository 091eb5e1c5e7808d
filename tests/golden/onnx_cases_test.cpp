// The DeformConv node tests of ONNX (onnx/backend/test/case/node/deformconv.py), whose values are recomputed from the
// operator's definition. All of them can be expressed; a DeformConv without offsets does not exist.
#include <vector>

#include "deft/core/tensor.h"

#include "catch.h"
#include "golden/nchw.h"

using namespace deft;

namespace {

// 0, 1, … 8, and from 8 down in a second channel.
Tensor ramp(std::int64_t channels) {
  std::vector<double> values = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  if (channels == 2) values.insert(values.end(), {8, 7, 6, 5, 4, 3, 2, 1, 0});
  return from_vector(values, {1, channels, 3, 3});
}

void require_output(const Tensor& offset, const DeformConv2dFunctionOptions& options, const Tensor& expected) {
  const std::int64_t channels = options.offset_groups;
  for (const DType dtype : {DType::float64, DType::float32}) {
    DeformConv2dFunctionOptions typed = options;
    if (typed.mask.defined()) typed.mask = typed.mask.to(dtype);
    if (typed.bias.defined()) typed.bias = typed.bias.to(dtype);
    const Tensor output = deform_conv2d_nchw(ramp(channels).to(dtype), offset.to(dtype),
                                             uniform_but({1, channels, 2, 2}, 1).to(dtype), typed);
    REQUIRE(relative_error(output, expected) < (dtype == DType::float64 ? 1e-14 : 1e-6));
  }
}

Tensor two_by_two(const std::vector<double>& values) { return from_vector(values, {1, 1, 2, 2}); }

}  // namespace

TEST_CASE("ONNX DeformConv: basic_deform_conv_with_padding") {
  require_output(uniform_but({1, 8, 4, 4}, 0, {{0, 0, 0, 0, 0.5}, {0, 5, 1, 2, -0.1}}), {.padding = 1},
                 from_vector<double>({0, 1, 3, 2, 3, 8, 11.9, 7, 9, 20, 24, 13, 6, 13, 15, 8}, {1, 1, 4, 4}));
}

TEST_CASE("ONNX DeformConv: basic_deform_conv_without_padding") {
  require_output(uniform_but({1, 8, 2, 2}, 0, {{0, 0, 0, 0, 0.5}, {0, 5, 0, 1, -0.1}}), {},
                 two_by_two({9.5, 11.9, 20, 24}));
}

TEST_CASE("ONNX DeformConv: deform_conv_with_mask_bias") {
  require_output(uniform_but({1, 8, 2, 2}, 0, {{0, 0, 0, 0, 0.5}, {0, 5, 0, 1, -0.1}}),
                 {.mask = uniform_but({1, 4, 2, 2}, 1, {{0, 2, 1, 1, 0.2}}), .bias = from_vector<double>({1})},
                 two_by_two({10.5, 12.9, 21, 19.4}));
}

TEST_CASE("ONNX DeformConv: deform_conv_with_multiple_offset_groups") {
  require_output(uniform_but({1, 16, 2, 2}, 0, {{0, 0, 0, 0, 0.5}, {0, 13, 0, 1, -0.1}}), {.offset_groups = 2},
                 two_by_two({33.5, 32.1, 32, 32}));
}
