#include "deft/data/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "deft/data/affine_warp.h"
#include "deft/data/detail/rows.h"
#include "deft/data/detail/transform_steps.h"
#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft {
namespace {

// Normalisation per channel as pixel · scale + shift, with what stands outside.
struct Normalization {
  std::vector<double> scale, shift, fill;
};

Normalization normalization(const Transform& transform, std::int64_t channels) {
  const auto check = [&](const char* name, const std::vector<double>& values) {
    if (values.size() == 1 || static_cast<std::int64_t>(values.size()) == channels) return;
    throw Error(fmt::format("transform: {} has {} values, expected 1 or {} (channels)", name, values.size(), channels));
  };
  check("mean", transform.mean);
  check("std", transform.std);
  Normalization result;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const double mean = transform.mean[transform.mean.size() == 1 ? 0 : c];
    const double std = transform.std[transform.std.size() == 1 ? 0 : c];
    if (std == 0) throw Error(fmt::format("transform: std of channel {} is 0", c));
    result.scale.push_back(1 / (255 * std));
    result.shift.push_back(-mean / std);
    result.fill.push_back(transform.fill.value_or(result.shift.back()));
  }
  return result;
}

void check_images(const Tensor& images) {
  if (images.dtype() == DType::uint8 && images.dim() == 4) return;
  throw Error(fmt::format("transform: images are {} {}, expected uint8 [N, H, W, C]", to_string(images.dtype()),
                          to_string(images.shape())));
}

// Scale and shift for a run of values, so that the inner loop goes in whole vectors whatever the number of channels.
std::vector<float> repeated(const std::vector<double>& per_channel, std::int64_t times) {
  std::vector<float> values;
  values.reserve(per_channel.size() * static_cast<std::size_t>(times));
  for (std::int64_t i = 0; i < times; ++i) values.insert(values.end(), per_channel.begin(), per_channel.end());
  return values;
}

// Without steps, on the CPU: gathers and normalises in one pass.
Tensor normalize(const Tensor& images, const Transform& transform, const std::vector<std::int64_t>& indices) {
  const Normalization n = normalization(transform, images.size(3));
  const Tensor rows = row_indices("transform", images, indices);
  constexpr std::int64_t pixels_per_run = 256, values_per_block = 1 << 16;
  const std::int64_t size = images.size(1) * images.size(2) * images.size(3), run = pixels_per_run * images.size(3);
  const std::vector<float> scale = repeated(n.scale, pixels_per_run), shift = repeated(n.shift, pixels_per_run);
  const std::int64_t count = rows.numel();
  Tensor result = empty({count, images.size(1), images.size(2), images.size(3)}, {.device = Device::cpu()});
  const std::uint8_t* from = images.data<std::uint8_t>();
  const std::int64_t* row = rows.data<std::int64_t>();
  float* to = result.mutable_data<float>();
  parallel_blocks(count, 1 + values_per_block / (1 + size), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t at = 0; at < size; at += run) {
        const std::uint8_t* in = from + row[i] * size + at;
        float* out = to + i * size + at;
        const std::int64_t length = std::min(run, size - at);
        for (std::int64_t k = 0; k < length; ++k) out[k] = static_cast<float>(in[k]) * scale[k] + shift[k];
      }
    }
  });
  return result;
}

}  // namespace

Tensor draw_matrices(const Transform& transform, const ImageSize& size, const std::vector<std::int64_t>& indices,
                     std::uint64_t seed, std::uint64_t epoch) {
  std::vector<AffineMatrix> matrices;
  matrices.reserve(indices.size());
  for (const std::int64_t index : indices) {
    PhiloxSequence random = draws(seed, Draw::augment, epoch, static_cast<std::uint64_t>(index));
    matrices.push_back(draw_matrix(transform.steps, size, random));
  }
  return to_tensor(matrices, Device::cpu());
}

Tensor move_images(const Tensor& images, const Tensor& matrices, const Transform& transform) {
  check_images(images);
  const Normalization n = normalization(transform, images.size(3));
  // Matrices that move nothing lead to whole pixels, which need no interpolation.
  return affine_warp(images, matrices,
                     {.interpolation = transform.steps.empty() ? Interpolation::nearest : transform.interpolation,
                      .border = transform.border,
                      .fill = n.fill,
                      .scale = n.scale,
                      .shift = n.shift});
}

Tensor transform_images(const Tensor& images, const Transform& transform, const std::vector<std::int64_t>& indices,
                        std::uint64_t seed, std::uint64_t epoch) {
  check_images(images);
  if (transform.steps.empty() && images.device().is_cpu()) return normalize(images, transform, indices);
  const ImageSize size{images.size(1), images.size(2)};
  const Tensor matrices = draw_matrices(transform, size, indices, seed, epoch);
  return move_images(gather_rows("transform", images, indices), matrices.to(images.device()), transform);
}

Tensor transform_images(const Tensor& images, const Transform& transform) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(images.size(0)));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return transform_images(images, transform, indices);
}

Tensor image_bytes(const Tensor& image, const Transform& transform) {
  const std::vector<double> values = image.to(DType::float64).to_vector<double>();
  const std::size_t channels = static_cast<std::size_t>(image.size(3));
  const auto of = [](const std::vector<double>& list, std::size_t channel) {
    return list.size() == 1 ? list[0] : list.at(channel);
  };
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i] * of(transform.std, i % channels) + of(transform.mean, i % channels);
    bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
  }
  return from_vector(bytes, {image.size(1), image.size(2), image.size(3)}, Device::cpu());
}

}  // namespace deft
