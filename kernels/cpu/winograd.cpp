#include "deft/kernels/cpu/winograd.h"

#include <cstring>

#include "deft/kernels/allocator.h"
#include "deft/kernels/conv_algorithm.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/winograd_filter.h"
#include "deft/kernels/cpu/winograd_tiles.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {
namespace {

/// Tiles taken at once: as many as keep both panels within a share of the L2 cache, and whole tiles of the product.
std::int64_t block_tiles(std::int64_t inputs, std::int64_t outputs) {
  constexpr std::int64_t bytes = 512 * 1024, most = 48, least = 24;
  const std::int64_t fitting = bytes / (winograd_products * (inputs + outputs + 1) * 4);
  return fitting > most ? most : fitting < least ? least : fitting / least * least;
}

/// destination = source ⋆ filter + bias, where output pixel (y, x) reads from pixel (y + first_y, x + first_x) on.
void correlate(const Images<const float>& source, const WinogradFilter& filter, const float* bias, std::int64_t n,
               std::int64_t first_y, std::int64_t first_x, const Images<float>& destination) {
  const std::int64_t inputs = round_up_to_lanes<float>(source.c), outputs = round_up_to_lanes<float>(destination.c);
  const TileGrid tiles(n, destination.h, destination.w);
  const std::int64_t most = block_tiles(inputs, outputs);
  const std::int64_t blocks = (tiles.count() + most - 1) / most;
  // A cache line more, as in WinogradFilter.
  const std::int64_t input_stride = most * inputs + lanes<float>, output_stride = most * outputs + lanes<float>;
  Scratch<float> padded_bias(outputs);
  clear(padded_bias.data(), outputs);
  if (bias != nullptr) std::memcpy(padded_bias.data(), bias, static_cast<std::size_t>(destination.c) * sizeof(float));
  parallel_for(blocks, [&](std::int64_t block) {
    const std::int64_t begin = tiles.count() * block / blocks, count = tiles.count() * (block + 1) / blocks - begin;
    Scratch<float> panel(winograd_products * input_stride), results(winograd_products * output_stride);
    Scratch<float> own(winograd_products * (inputs > outputs ? inputs : outputs));
    for (std::int64_t i = 0; i < count; ++i) {
      const TilePlace place = tiles[begin + i];
      read_tile(source, place.image, place.y + first_y, place.x + first_x, own.data(), panel.data() + i * inputs,
                input_stride);
    }
    for (int frequency = 0; frequency < winograd_products; ++frequency) {
      gemm<float, Layout::rows>(count, outputs, source.c, panel.data() + frequency * input_stride, inputs,
                                filter.matrix(frequency), nullptr, 0, results.data() + frequency * output_stride,
                                outputs);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      write_tile(results.data() + i * outputs, output_stride, padded_bias.data(), own.data(), destination,
                 tiles[begin + i]);
    }
  });
}

}  // namespace

bool winograd_chosen(const Conv2dShape& s) {
  const Conv2dAlgorithm algorithm = conv2d_algorithm();
  const bool applies = s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
                       s.dilation_w == 1 && s.groups == 1 && s.c > 0 && s.o > 0 && s.h_out() > 0 && s.w_out() > 0;
  if (!applies || algorithm == Conv2dAlgorithm::direct) return false;
  return algorithm == Conv2dAlgorithm::winograd || (s.c >= 16 && s.o >= 16 && s.h_out() >= 4 && s.w_out() >= 4);
}

void winograd_forward(const Conv2dShape& s, const float* input, const float* weight, const float* bias, float* output) {
  WinogradFilter filter(s.c, s.o);
  filter.set_forward(weight);
  correlate({input, s.h, s.w, s.c}, filter, bias, s.n, -s.pad_top, -s.pad_left, {output, s.h_out(), s.w_out(), s.o});
}

void winograd_backward_input(const Conv2dShape& s, const float* grad_output, const float* weight, float* grad_input) {
  WinogradFilter filter(s.o, s.c);
  filter.set_backward(weight);
  correlate({grad_output, s.h_out(), s.w_out(), s.o}, filter, nullptr, s.n, s.pad_top - 2, s.pad_left - 2,
            {grad_input, s.h, s.w, s.c});
}

}  // namespace deft::kernels::DEFT_SIMD
