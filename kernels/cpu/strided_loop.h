// The loops under the CPU kernels over Strided spaces.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/strided.h"

namespace deft::kernels::DEFT_SIMD {

/// Elements that one task works on: enough to outweigh the start of a parallel region, few enough to share out.
inline constexpr std::int64_t block_elements = 1 << 14;
/// Elements that a task handles at a time where an operand must be gathered first.
inline constexpr std::int64_t piece_elements = 1 << 10;

/// One operand's own layout within a space, with its axes merged as far as this operand alone allows.
template <int operands>
Strided<1> operand_layout(const Strided<operands>& space, int operand) {
  Strided<1> layout;
  for (int axis = 0; axis < space.rank; ++axis) layout.add_axis(space.size[axis], {space.stride[operand][axis]});
  return layout;
}

inline Strided<1> dense_layout(std::int64_t n) {
  Strided<1> layout;
  layout.add_axis(n, {1});
  return layout;
}

/// Walks a layout in row-major order, run by run along its innermost axis.
class StridedCursor {
 public:
  struct Run {
    std::int64_t offset, count;
  };

  StridedCursor(const Strided<1>& layout, std::int64_t begin) : layout_(layout), inner_(std::max(layout.rank - 1, 0)) {
    if (layout_.rank == 0) layout_.size[0] = 1;
    for (int axis = inner_; axis >= 0 && begin > 0; --axis) {
      const std::int64_t size = layout_.size[axis];
      index_[axis] = axis > 0 ? begin % size : begin;
      offset_ += index_[axis] * layout_.stride[0][axis];
      begin /= size;
    }
  }

  /// Distance between the elements of a run.
  std::int64_t step() const { return layout_.stride[0][inner_]; }

  /// The next run of at most `limit` elements.
  Run next(std::int64_t limit) {
    const Run run{offset_, std::min(limit, layout_.size[inner_] - index_[inner_])};
    index_[inner_] += run.count;
    offset_ += run.count * step();
    for (int axis = inner_; axis > 0 && index_[axis] == layout_.size[axis]; --axis) {
      offset_ += layout_.stride[0][axis - 1] - index_[axis] * layout_.stride[0][axis];
      index_[axis] = 0;
      ++index_[axis - 1];
    }
    return run;
  }

 private:
  Strided<1> layout_;
  int inner_;
  std::int64_t index_[max_rank] = {};
  std::int64_t offset_ = 0;
};

/// Copies the next `count` elements under the cursor to dense memory.
template <class T>
void gather(StridedCursor& cursor, const T* data, std::int64_t count, T* output) {
  const std::int64_t step = cursor.step();
  while (count > 0) {
    const auto [offset, n] = cursor.next(count);
    const T* run = data + offset;
    if (step == 0) {
      std::fill_n(output, n, *run);
    } else if (step == 1) {
      std::copy_n(run, n, output);
    } else {
      for (std::int64_t i = 0; i < n; ++i) output[i] = run[i * step];
    }
    output += n;
    count -= n;
  }
}

/// An input of map_blocks: memory and the layout in which it is read.
template <class T>
struct Operand {
  const T* data;
  Strided<1> layout;
};

/// Hands out an operand in dense pieces: in place where it is dense, else copied into a buffer that stays in the
/// first-level cache. So an elementwise function needs one loop, over dense memory, however its operands are broadcast.
template <class T>
class OperandReader {
 public:
  OperandReader(const Operand<T>& operand, std::int64_t begin)
      : operand_(operand), cursor_(operand.layout, begin), position_(begin), period_(find_period(operand.layout)) {
    if (period_ > 0) repeat_period();
  }

  /// The next `count` elements, at most piece_elements.
  const T* read(std::int64_t count) {
    const std::int64_t at = std::exchange(position_, position_ + count);
    if (period_ > 0) return buffer_ + at % period_;
    if (is_dense()) return operand_.data + at;
    gather(cursor_, operand_.data, count, buffer_);
    return buffer_;
  }

 private:
  // A number (period 1) or a short vector along the last axis, such as a bias, is repeated in the buffer once for all;
  // there are two pieces of it, so that a piece may begin anywhere in the period.
  static std::int64_t find_period(const Strided<1>& layout) {
    if (layout.rank == 0 || (layout.rank == 1 && layout.stride[0][0] == 0)) return 1;
    const bool repeats = layout.rank == 2 && layout.stride[0][0] == 0 && layout.stride[0][1] == 1;
    return repeats && layout.size[1] <= piece_elements ? layout.size[1] : 0;
  }
  void repeat_period() {
    std::copy_n(operand_.data, period_, buffer_);
    for (std::int64_t filled = period_; filled < buffer_elements;) {
      const std::int64_t count = std::min(filled, buffer_elements - filled);
      std::copy_n(buffer_, count, buffer_ + filled);
      filled += count;
    }
  }
  bool is_dense() const { return operand_.layout.rank == 1 && operand_.layout.stride[0][0] == 1; }

  static constexpr std::int64_t buffer_elements = 2 * piece_elements;
  Operand<T> operand_;
  StridedCursor cursor_;
  std::int64_t position_, period_;
  T buffer_[buffer_elements];
};

/// output[i] = function(operands[i]...) for i in [0, n).
template <class Function, class Out, class... In>
void map_broadcast(std::int64_t n, Function function, Out* output, const Operand<In>&... operands) {
  parallel_blocks(n, block_elements, [&](std::int64_t begin, std::int64_t end) {
    std::tuple<OperandReader<In>...> readers{OperandReader<In>(operands, begin)...};
    while (begin < end) {
      const std::int64_t count = std::min(end - begin, piece_elements);
      std::apply(
          [&](auto&... reader) {
            [&](const In*... in) {
              Out* out = output + begin;
#pragma omp simd
              for (std::int64_t i = 0; i < count; ++i) out[i] = function(in[i]...);
            }(reader.read(count)...);
          },
          readers);
      begin += count;
    }
  });
}

/// output[i] = function(inputs[i]...) for dense memory; `output` may be one of the inputs.
template <class Function, class Out, class... In>
void map(std::int64_t n, Function function, Out* output, const In*... inputs) {
  parallel_blocks(n, block_elements, [&](std::int64_t begin, std::int64_t end) {
    Out* out = output;
    [&, function](const In*... in) {
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) out[i] = function(in[i]...);
    }(inputs...);
  });
}

}  // namespace deft::kernels::DEFT_SIMD
