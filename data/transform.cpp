#include "deft/data/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "deft/data/affine_warp.h"
#include "deft/data/random.h"
#include "deft/kernels/error.h"
#include "deft/kernels/parallel_for.h"

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

void check_images(const Tensor& images, const std::vector<std::int64_t>& indices) {
  if (images.dtype() != DType::uint8 || images.dim() != 4 || !images.device().is_cpu()) {
    throw Error(fmt::format("transform: images are {} {} on {}, expected uint8 [N, H, W, C] on cpu",
                            to_string(images.dtype()), to_string(images.shape()), to_string(images.device())));
  }
  for (const std::int64_t index : indices) {
    if (index >= 0 && index < images.size(0)) continue;
    throw Error(fmt::format("transform: index is {}, expected 0 to {}", index, images.size(0) - 1));
  }
}

// Scale and shift for a run of values, so that the inner loop goes in whole vectors whatever the number of channels.
std::vector<float> repeated(const std::vector<double>& per_channel, std::int64_t times) {
  std::vector<float> values;
  values.reserve(per_channel.size() * static_cast<std::size_t>(times));
  for (std::int64_t i = 0; i < times; ++i) values.insert(values.end(), per_channel.begin(), per_channel.end());
  return values;
}

Tensor normalize(const Tensor& images, const Normalization& n, const std::vector<std::int64_t>& indices) {
  constexpr std::int64_t pixels_per_run = 256, values_per_block = 1 << 16;
  const std::int64_t size = images.size(1) * images.size(2) * images.size(3), run = pixels_per_run * images.size(3);
  const std::vector<float> scale = repeated(n.scale, pixels_per_run), shift = repeated(n.shift, pixels_per_run);
  const auto count = static_cast<std::int64_t>(indices.size());
  Tensor result = empty({count, images.size(1), images.size(2), images.size(3)}, {.device = Device::cpu()});
  const std::uint8_t* from = images.data<std::uint8_t>();
  float* to = result.mutable_data<float>();
  parallel_blocks(count, 1 + values_per_block / (1 + size), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t at = 0; at < size; at += run) {
        const std::uint8_t* in = from + indices[static_cast<std::size_t>(i)] * size + at;
        float* out = to + i * size + at;
        const std::int64_t length = std::min(run, size - at);
        for (std::int64_t k = 0; k < length; ++k) out[k] = static_cast<float>(in[k]) * scale[k] + shift[k];
      }
    }
  });
  return result;
}

Tensor gather(const Tensor& images, const std::vector<std::int64_t>& indices) {
  const std::int64_t bytes = images.size(1) * images.size(2) * images.size(3);
  Tensor result = empty({static_cast<std::int64_t>(indices.size()), images.size(1), images.size(2), images.size(3)},
                        {.dtype = DType::uint8, .device = Device::cpu()});
  if (result.numel() == 0) return result;
  std::uint8_t* out = result.mutable_data<std::uint8_t>();
  for (const std::int64_t index : indices) {
    std::memcpy(out, images.data<std::uint8_t>() + index * bytes, static_cast<std::size_t>(bytes));
    out += bytes;
  }
  return result;
}

}  // namespace

Tensor transform_images(const Tensor& images, const Transform& transform, const std::vector<std::int64_t>& indices,
                        std::uint64_t seed, std::uint64_t epoch) {
  check_images(images, indices);
  const Normalization n = normalization(transform, images.size(3));
  if (transform.steps.empty()) return normalize(images, n, indices);
  const ImageSize size{images.size(1), images.size(2)};
  std::vector<AffineMatrix> matrices;
  matrices.reserve(indices.size());
  for (const std::int64_t index : indices) {
    PhiloxSequence random = draws(seed, Draw::augment, epoch, static_cast<std::uint64_t>(index));
    matrices.push_back(draw_matrix(transform.steps, size, random));
  }
  return affine_warp(gather(images, indices), to_tensor(matrices, images.device()),
                     {.interpolation = transform.interpolation,
                      .border = transform.border,
                      .fill = n.fill,
                      .scale = n.scale,
                      .shift = n.shift});
}

Tensor transform_images(const Tensor& images, const Transform& transform) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(images.size(0)));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return transform_images(images, transform, indices);
}

}  // namespace deft
