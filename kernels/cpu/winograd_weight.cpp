// The weight's gradient by Winograd's algorithm: Gᵀ(Σ (A y) ⊙ (Bᵀ d)) G, the sum over all tiles of outputs' gradients y
// and the inputs d that they were computed from, a matrix product for each frequency.
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/winograd.h"
#include "deft/kernels/cpu/winograd_tiles.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {
namespace {

/// Tiles taken at once: more than forward, since the sums are read and written for each block.
constexpr std::int64_t most_tiles = 48;

/// Chunks of tiles that are summed separately: enough for many threads, as far as adding and keeping the sums, of
/// `sums` elements, costs little.
std::int64_t chunk_count(std::int64_t tiles, std::int64_t sums) {
  constexpr std::int64_t most = 16, most_bytes = 32 << 20, near_bytes = 1024 * 1024;
  const std::int64_t bytes = sums * 4;
  const std::int64_t by_work = tiles / (bytes <= near_bytes ? 24 : 96), by_size = most_bytes / bytes;
  const std::int64_t chunks = by_work < by_size ? by_work : by_size;
  return chunks < 1 ? 1 : chunks > most ? most : chunks;
}

class WinogradWeightGradient {
 public:
  WinogradWeightGradient(const Conv2dShape& s, const float* input, const float* grad_output)
      : s_(s),
        input_{input, s.h, s.w, s.c},
        gradient_{grad_output, s.h_out(), s.w_out(), s.o},
        tiles_(s.n, s.h_out(), s.w_out()),
        inputs_(round_up_to_lanes<float>(s.c)),
        outputs_(round_up_to_lanes<float>(s.o)),
        // A cache line more than a power of two, or all frequencies would share a few sets of the caches.
        input_stride_(most_tiles * inputs_ + lanes<float>),
        gradient_stride_(most_tiles * outputs_ + lanes<float>),
        sum_stride_(s.o * inputs_ + lanes<float>),
        chunks_(chunk_count(tiles_.count(), winograd_products * sum_stride_)),
        zeros_(inputs_ > outputs_ ? inputs_ : outputs_),
        sums_(chunks_ * winograd_products * sum_stride_),
        bias_sums_(chunks_ * outputs_) {
    clear(zeros_.data(), inputs_ > outputs_ ? inputs_ : outputs_);
  }

  void run(float* grad_weight, float* grad_bias) {
    parallel_for(chunks_, [&](std::int64_t chunk) { sum_chunk(chunk, grad_bias != nullptr); });
    parallel_blocks(s_.o, 1 + 64 / (inputs_ * chunks_ / lanes<float>), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) write_output(o, grad_weight);
    });
    if (grad_bias == nullptr) return;
    for (std::int64_t o = 0; o < s_.o; ++o) {
      grad_bias[o] = 0;
      for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) grad_bias[o] += bias_sums_[chunk * outputs_ + o];
    }
  }

 private:
  void sum_chunk(std::int64_t chunk, bool with_bias) {
    Scratch<float> inputs(winograd_products * input_stride_), gradients(winograd_products * gradient_stride_);
    float *const sums = &sums_[chunk * winograd_products * sum_stride_], *const bias = &bias_sums_[chunk * outputs_];
    clear(sums, winograd_products * sum_stride_);
    clear(bias, outputs_);
    const std::int64_t end = tiles_.count() * (chunk + 1) / chunks_;
    for (std::int64_t begin = tiles_.count() * chunk / chunks_; begin < end; begin += most_tiles) {
      const std::int64_t count = end - begin < most_tiles ? end - begin : most_tiles;
      for (std::int64_t i = 0; i < count; ++i) {
        const TilePlace place = tiles_[begin + i];
        read_tile<InputTransform>(input_, place.image, place.y - s_.pad_top, place.x - s_.pad_left, zeros_.data(),
                                  inputs.data() + i * inputs_, input_stride_);
        read_tile<OutputGradientTransform>(gradient_, place.image, place.y, place.x, zeros_.data(),
                                           gradients.data() + i * outputs_, gradient_stride_);
        if (with_bias) add_bias(place, bias);
      }
      for (std::int64_t frequency = 0; frequency < winograd_products; ++frequency) {
        float* const sum = sums + frequency * sum_stride_;
        gemm<float, Layout::transposed>(s_.o, inputs_, count, gradients.data() + frequency * gradient_stride_, outputs_,
                                        unpacked(inputs.data() + frequency * input_stride_, inputs_), sum, inputs_, sum,
                                        inputs_);
        const std::int64_t next = begin + count, after = end - next < most_tiles ? end : next + most_tiles;
        prefetch_share<0>(input_, tiles_, next, after, frequency);
        prefetch_share<0>(gradient_, tiles_, next, after, frequency);
      }
    }
  }

  void add_bias(const TilePlace& place, float* bias) const {
    const Inside inside(winograd_outputs, place.y, place.x, gradient_.h, gradient_.w);
    for (std::int64_t o = 0; o < s_.o; o += lanes<float>) {
      Vector<float> sum = load(bias + o);
      for (std::int64_t y = 0; y < inside.end_y; ++y) {
        const float* const from = gradient_.pixel(place.image, place.y + y, place.x) + o;
        for (std::int64_t x = 0; x < inside.end_x; ++x) sum += load_first(from + x * s_.o, s_.o - o);
      }
      store(bias + o, sum);
    }
  }

  /// The gradients of one output channel's filters.
  void write_output(std::int64_t o, float* grad_weight) const {
    for (std::int64_t c = 0; c < s_.c; c += lanes<float>) {
      float total[winograd_products * lanes<float>];
      for (int frequency = 0; frequency < winograd_products; ++frequency) {
        const float* const from = &sums_[frequency * sum_stride_ + o * inputs_ + c];
        Vector<float> sum = load(from);
        for (std::int64_t chunk = 1; chunk < chunks_; ++chunk) {
          sum += load(from + chunk * winograd_products * sum_stride_);
        }
        store(total + frequency * lanes<float>, sum);
      }
      from_frequencies<FilterGradientTransform>(total, lanes<float>, [&](int y, int x, Vector<float> value) {
        store_first(grad_weight + (o * 9 + y * 3 + x) * s_.c + c, value, s_.c - c);
      });
    }
  }

  const Conv2dShape& s_;
  Images<const float> input_, gradient_;
  TileGrid tiles_;
  std::int64_t inputs_, outputs_, input_stride_, gradient_stride_, sum_stride_, chunks_;
  Scratch<float> zeros_, sums_, bias_sums_;
};

}  // namespace

void winograd_backward_weight(const Conv2dShape& shape, const float* input, const float* grad_output,
                              float* grad_weight, float* grad_bias) {
  WinogradWeightGradient(shape, input, grad_output).run(grad_weight, grad_bias);
}

}  // namespace deft::kernels::DEFT_SIMD
