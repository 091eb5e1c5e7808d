#include "deft/kernels/cpu/winograd.h"

#include "deft/kernels/conv_algorithm.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/winograd_filter.h"
#include "deft/kernels/cpu/winograd_tiles.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {
namespace {

/// Tiles taken at once: as many as keep both panels within a share of the L2 cache, and whole tiles of the product.
std::int64_t tiles_at_once(std::int64_t inputs, std::int64_t outputs) {
  constexpr std::int64_t bytes = 512 * 1024, most = 24, least = 12;
  const std::int64_t fitting = bytes / (winograd_products * (inputs + outputs + 1) * 4);
  return fitting > most ? most : fitting < least ? least : fitting / least * least;
}

/// Blocks that one thread takes in turn: few enough for many threads, and for a batch of one.
std::int64_t task_blocks(std::int64_t blocks) {
  constexpr std::int64_t tasks = 32, most = 8;
  const std::int64_t share = blocks / tasks;
  return share < 1 ? 1 : share > most ? most : share;
}

/// destination = source ⋆ filter + bias, where output pixel (y, x) reads from pixel (y + first_y, x + first_x) on.
class Correlation {
 public:
  Correlation(const Images<const float>& source, const WinogradFilter& filter, const float* bias, std::int64_t n,
              std::int64_t first_y, std::int64_t first_x, const Images<float>& destination)
      : source_(source),
        filter_(filter),
        first_y_(first_y),
        first_x_(first_x),
        destination_(destination),
        tiles_(n, destination.h, destination.w),
        inputs_(round_up_to_lanes<float>(source.c)),
        outputs_(round_up_to_lanes<float>(destination.c)),
        most_(tiles_at_once(inputs_, outputs_)),
        // A cache line more than a power of two, as in WinogradFilter.
        input_stride_(most_ * inputs_ + lanes<float>),
        output_stride_(most_ * outputs_ + lanes<float>),
        zeros_(inputs_),
        bias_(outputs_) {
    clear(zeros_.data(), inputs_);
    clear(bias_.data(), outputs_);
    if (bias != nullptr) copy_elements(bias_.data(), bias, destination.c);
  }

  void run() const {
    std::int64_t blocks = (tiles_.count() + most_ - 1) / most_;
    if (blocks > 1 && blocks < 8) blocks += blocks % 2;  // a few are shared by two or four threads
    parallel_blocks(blocks, task_blocks(blocks), [&](std::int64_t first, std::int64_t end) {
      Scratch<float> panel(winograd_products * input_stride_), results(winograd_products * output_stride_);
      const auto begin_of = [&](std::int64_t block) { return tiles_.count() * block / blocks; };
      for (std::int64_t block = first; block < end; ++block) {
        const std::int64_t next = begin_of(block + 1);
        run_block(begin_of(block), next, block + 1 < end ? begin_of(block + 2) : next, panel.data(), results.data());
      }
    });
  }

 private:
  /// Tiles [begin, end); this thread goes on with [end, next).
  void run_block(std::int64_t begin, std::int64_t end, std::int64_t next, float* panel, float* results) const {
    for (std::int64_t i = begin; i < end; ++i) {
      const TilePlace place = tiles_[i];
      read_tile<InputTransform>(source_, place.image, place.y + first_y_, place.x + first_x_, zeros_.data(),
                                panel + (i - begin) * inputs_, input_stride_);
    }
    for (int frequency = 0; frequency < winograd_products; ++frequency) {
      gemm<float, Layout::rows>(end - begin, outputs_, source_.c, panel + frequency * input_stride_, inputs_,
                                filter_.matrix(frequency), nullptr, 0, results + frequency * output_stride_, outputs_);
      prefetch_share<1>(destination_, tiles_, begin, end, frequency);
      prefetch_share<0>(source_, tiles_, end, next, frequency);
    }
    for (std::int64_t i = begin; i < end; ++i) {
      write_tile(results + (i - begin) * outputs_, output_stride_, bias_.data(), destination_, tiles_[i]);
    }
  }

  Images<const float> source_;
  const WinogradFilter& filter_;
  std::int64_t first_y_, first_x_;
  Images<float> destination_;
  TileGrid tiles_;
  std::int64_t inputs_, outputs_, most_, input_stride_, output_stride_;
  Scratch<float> zeros_, bias_;
};

/// The transforms take whole vectors of channels, and as long as the products of some eight; that of the filter has to
/// pay over the tiles, and so have the sums of the weight's gradient, which are 4 times as large as the gradient; the
/// sums of many channels leave no room for a second thread's.
bool faster(const Conv2dShape& s, Conv2dPass pass) {
  constexpr std::int64_t narrow = 8, enough = (lanes<float>) > narrow ? lanes<float> : narrow;
  const std::int64_t tiles = TileGrid(s.n, s.h_out(), s.w_out()).count();
  if (pass == Conv2dPass::forward) return s.c >= enough && s.o >= narrow && tiles >= 8;
  if (pass == Conv2dPass::backward_input) return s.o >= enough && s.c >= narrow && tiles >= 8;
  return s.c >= enough && s.o >= enough && s.c * s.o <= 256 * 256 && tiles >= 32;
}

}  // namespace

bool winograd_chosen(const Conv2dShape& s, Conv2dPass pass) {
  const Conv2dAlgorithm algorithm = conv2d_algorithm();
  const bool applies = s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
                       s.dilation_w == 1 && s.groups == 1 && s.c > 0 && s.o > 0 && s.h_out() > 0 && s.w_out() > 0;
  if (!applies || algorithm == Conv2dAlgorithm::direct) return false;
  return algorithm == Conv2dAlgorithm::winograd || faster(s, pass);
}

void winograd_forward(const Conv2dShape& s, const float* input, const float* weight, const float* bias, float* output) {
  WinogradFilter filter(s.c, s.o);
  filter.set_forward(weight);
  Correlation({input, s.h, s.w, s.c}, filter, bias, s.n, -s.pad_top, -s.pad_left, {output, s.h_out(), s.w_out(), s.o})
      .run();
}

void winograd_backward_input(const Conv2dShape& s, const float* grad_output, const float* weight, float* grad_input) {
  WinogradFilter filter(s.o, s.c);
  filter.set_backward(weight);
  Correlation({grad_output, s.h_out(), s.w_out(), s.o}, filter, nullptr, s.n, s.pad_top - 2, s.pad_left - 2,
              {grad_input, s.h, s.w, s.c})
      .run();
}

}  // namespace deft::kernels::DEFT_SIMD
