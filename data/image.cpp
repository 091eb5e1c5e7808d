#include "deft/data/image.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "deft/core/checks.h"
#include "deft/data/input_file.h"
#include "deft/kernels/error.h"

// Only formats whose truncation can be told.
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_FAILURE_USERMSG
#define STB_IMAGE_STATIC  // users may have an implementation of their own
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace deft {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<unsigned char>;

constexpr std::int64_t max_pixels = std::int64_t{1} << 26;

Bytes read_bytes(InputFile& file) {
  if (file.size() > std::uint64_t{1} << 30) {
    file.fail(fmt::format("is {} bytes long, expected at most 2^30", file.size()));
  }
  Bytes bytes(file.size());
  file.read(bytes.data(), bytes.size());
  return bytes;
}

bool starts_with(const Bytes& bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

// stb_image verifies no checksums and invents what a truncated file lacks: these checks are made here.
void check_png(const InputFile& file, const Bytes& bytes) {
  std::size_t at = 8;
  for (bool ended = false; !ended;) {
    if (bytes.size() - at < 12) file.fail(fmt::format("PNG ends after {} bytes, before its IEND chunk", bytes.size()));
    const std::uint64_t length = from_big_endian(&bytes[at]);
    const std::string type(&bytes[at + 4], &bytes[at + 8]);
    if (bytes.size() - at - 12 < length) {
      file.fail(
          fmt::format("PNG ends after {} bytes, expected {} for its {} chunk", bytes.size(), at + 12 + length, type));
    }
    const auto crc = static_cast<std::uint32_t>(crc32(0, &bytes[at + 4], static_cast<unsigned>(length) + 4));
    const std::uint32_t stored = from_big_endian(&bytes[at + 8 + length]);
    if (crc != stored) {
      file.fail(fmt::format("PNG chunk {} at byte {} has checksum {:08x}, expected {:08x}", type, at, crc, stored));
    }
    at += 12 + length;
    ended = type == "IEND";
  }
}

// A marker cannot occur inside compressed data, so a complete file has an end-of-image marker after its last scan.
void check_jpeg(const InputFile& file, const Bytes& bytes) {
  for (std::size_t i = bytes.size(); i-- > 1;) {
    if (bytes[i - 1] != 0xff) continue;
    if (bytes[i] == 0xd9) return;
    if (bytes[i] == 0xda) break;
  }
  file.fail(fmt::format("JPEG ends after {} bytes without an end-of-image marker", bytes.size()));
}

// The formats without compression say how long they must be: BMP in its header, PNM by the number of values.
void check_uncompressed(const InputFile& file, const Bytes& bytes, std::uint64_t values) {
  std::uint64_t least = 0;
  if (starts_with(bytes, "BM")) least = bytes[2] | bytes[3] << 8 | bytes[4] << 16 | std::uint64_t{bytes[5]} << 24;
  if (starts_with(bytes, "P5") || starts_with(bytes, "P6")) least = values;
  if (bytes.size() < least) file.fail(fmt::format("ends after {} bytes, expected at least {}", bytes.size(), least));
}

Tensor decode(const InputFile& file, const Bytes& bytes, int channels) {
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n")) check_png(file, bytes);
  if (starts_with(bytes, "\xff\xd8")) check_jpeg(file, bytes);
  const int size = static_cast<int>(bytes.size());
  int width = 0, height = 0, stored_channels = 0;
  if (stbi_info_from_memory(bytes.data(), size, &width, &height, &stored_channels) == 0) {
    file.fail(fmt::format("is not an image that can be read ({})", stbi_failure_reason()));
  }
  if (std::int64_t{width} * height > max_pixels) {
    file.fail(fmt::format("is {}×{} pixels, expected at most {} in all", width, height, max_pixels));
  }
  check_uncompressed(file, bytes,
                     static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height * stored_channels));
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), size, &width, &height, &stored_channels, channels), stbi_image_free);
  if (!pixels) file.fail(fmt::format("holds a damaged image ({})", stbi_failure_reason()));
  Tensor image = empty({height, width, channels}, {.dtype = DType::uint8, .device = Device::cpu()});
  std::memcpy(image.mutable_data<std::uint8_t>(), pixels.get(), static_cast<std::size_t>(image.numel()));
  return image;
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
  InputFile file(path);
  const Tensor image = decode(file, read_bytes(file), static_cast<int>(options.channels));
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
