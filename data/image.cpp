#include "deft/data/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "deft/core/checks.h"
#include "deft/data/detail/image_decoders.h"
#include "deft/data/input_file.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t max_pixels = std::int64_t{1} << 26;

EncodedImage read_image(const fs::path& path) {
  InputFile file(path);
  if (file.is_compressed()) file.fail("is compressed, expected an image file");
  if (file.size() > std::uint64_t{1} << 30) {
    file.fail(fmt::format("is {} bytes long, expected at most 2^30", file.size()));
  }
  EncodedImage image{
      .name = path.string(), .bytes = std::vector<unsigned char>(file.size()), .most_pixels = max_pixels};
  file.read(image.bytes.data(), image.bytes.size());
  return image;
}

// The image, uint8 [H, W, 1 or 3], with `channels`.
Tensor to_channels(const Tensor& image, std::int64_t channels) {
  if (image.size(2) == channels) return image;
  const std::int64_t pixels = image.size(0) * image.size(1);
  Tensor result = empty({image.size(0), image.size(1), channels}, {.dtype = DType::uint8, .device = Device::cpu()});
  const std::uint8_t* in = image.data<std::uint8_t>();
  std::uint8_t* out = result.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < pixels; ++i) {
    if (channels == 3) {
      out = std::fill_n(out, 3, in[i]);
    } else {  // ITU-R BT.601's luma
      const std::uint32_t grey = 19595u * in[3 * i] + 38470u * in[3 * i + 1] + 7471u * in[3 * i + 2] + 32768u;
      *out++ = static_cast<std::uint8_t>(grey >> 16);
    }
  }
  return result;
}

// Which input pixels one output pixel of an axis is made of, with weights that add up to one.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

std::vector<Taps> linear_taps(std::int64_t from, std::int64_t to) {
  std::vector<Taps> result(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / static_cast<double>(to), support = std::max(1.0, scale);
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale - 0.5;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(centre - support)));
    const auto last = std::min<std::int64_t>(from - 1, static_cast<std::int64_t>(std::floor(centre + support)));
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t j = first; j <= last; ++j) {
      weights.push_back(std::max(0.0, 1 - std::abs(static_cast<double>(j) - centre) / support));
      sum += weights.back();
    }
    Taps& taps = result[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : weights) taps.weights.push_back(static_cast<float>(weight / sum));
  }
  return result;
}

// Filters the middle axis of `from`, [outer, n, inner], to [outer, taps.size(), inner].
std::vector<float> filter_axis(const std::vector<float>& from, std::int64_t outer, std::int64_t n, std::int64_t inner,
                               const std::vector<Taps>& taps) {
  std::vector<float> to(static_cast<std::size_t>(outer) * taps.size() * static_cast<std::size_t>(inner));
  float* out = to.data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Taps& tap : taps) {
      const float* in = from.data() + (o * n + tap.first) * inner;
      for (const float weight : tap.weights) {
        for (std::int64_t i = 0; i < inner; ++i) out[i] += weight * in[i];
        in += inner;
      }
      out += inner;
    }
  }
  return to;
}

}  // namespace

Tensor load_image(const fs::path& path, const ImageOptions& options) {
  if (options.channels != 1 && options.channels != 3) {
    throw Error(fmt::format("load_image: channels is {}, expected 1 or 3", options.channels));
  }
  const Tensor image = to_channels(decode_image(read_image(path)), options.channels);
  const std::int64_t height = options.height == 0 ? image.size(0) : options.height;
  const std::int64_t width = options.width == 0 ? image.size(1) : options.width;
  return resize_image(image, height, width);
}

Tensor resize_image(const Tensor& image, std::int64_t height, std::int64_t width) {
  if (image.dtype() != DType::uint8 || image.dim() != 3 || image.numel() == 0) {
    throw Error(fmt::format("resize_image: image is {} {}, expected uint8 [H, W, C]", to_string(image.dtype()),
                            to_string(image.shape())));
  }
  require_cpu("resize_image", {"image", image});
  if (height < 1 || width < 1 || height > max_pixels / width) {
    throw Error(
        fmt::format("resize_image: size is {}×{}, expected at least 1×1 and at most 2^26 pixels", height, width));
  }
  const std::int64_t h = image.size(0), w = image.size(1), c = image.size(2);
  if (h == height && w == width) return image;
  const std::uint8_t* pixels = image.data<std::uint8_t>();
  std::vector<float> values(pixels, pixels + image.numel());
  values = filter_axis(values, h, w, c, linear_taps(w, width));
  values = filter_axis(values, 1, h, width * c, linear_taps(h, height));
  Tensor result = empty({height, width, c}, {.dtype = DType::uint8, .device = Device::cpu()});
  std::uint8_t* out = result.mutable_data<std::uint8_t>();
  for (const float value : values) *out++ = static_cast<std::uint8_t>(std::min(255.0f, value + 0.5f));
  return result;
}

}  // namespace deft
