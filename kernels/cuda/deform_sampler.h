// Tiles of a deformable convolution's samples in shared memory, for the fused kernels.
#pragma once

#include <algorithm>
#include <cstdint>

#include "deft/kernels/cuda/deform_panel.h"
#include "deft/kernels/cuda/tile.h"

namespace deft::kernels {

/// Offset groups [first, first + count).
struct OffsetGroups {
  int first, count;
};

/// Those that the channels [channel, channel + channels) of the input use.
DEFT_HOST_DEVICE inline OffsetGroups offset_groups_of(const ConvGeometry& g, std::int64_t channel,
                                                      std::int64_t channels) {
  const auto first = static_cast<int>(quotient(channel, g.entry_channels));
  return {first, static_cast<int>(quotient(channel + channels - 1, g.entry_channels)) - first + 1};
}

/// The most offset groups that the channels of one group use.
inline std::int64_t most_offset_groups(const ConvGeometry& g) {
  return std::min(g.offset_groups, (g.inputs + g.entry_channels - 2) / g.entry_channels + 1);
}

/// CellPixels in one word.
class PackedCell {
 public:
  PackedCell() = default;
  __device__ explicit PackedCell(const CellPixels& cell) : word_(cell.first * 16 + cell.inside) {}
  __device__ CellPixels unpack() const { return {word_ >> 4, static_cast<unsigned>(word_) & 15u}; }

 private:
  std::int64_t word_;
};

/// Bilinear weights, times the mask, that one access reads.
template <class T>
struct alignas(16) AlignedCorners : Corners<T> {};

/// What some taps of a block's output pixels read, in shared memory: [pixels, offset groups, taps], the pixels `stride`
/// apart.
template <class T>
struct SamplingPlan {
  static constexpr std::int64_t entry_bytes = sizeof(AlignedCorners<T>) + sizeof(PackedCell);

  AlignedCorners<T>* weights;
  PackedCell* cells;
  int stride;

  /// Distance of the pixels: odd, so that neighbours fall into different banks.
  DEFT_HOST_DEVICE static int stride_for(std::int64_t entries) { return static_cast<int>(entries) | 1; }

  /// A plan of `pixels` · `stride` entries at `memory`.
  __device__ SamplingPlan(void* memory, int pixels, int stride)
      : weights(static_cast<AlignedCorners<T>*>(memory)),
        cells(reinterpret_cast<PackedCell*>(weights + pixels * stride)),
        stride(stride) {}

  /// The plan from the pixel `line` on.
  __device__ SamplingPlan from(int line) const {
    SamplingPlan plan = *this;
    plan.weights += line * stride;
    plan.cells += line * stride;
    return plan;
  }

  /// Plans taps [first_tap, first_tap + taps) of the output pixels [first, first + count); all threads of the block
  /// call it. Pixels beyond the batch read nothing.
  __device__ void fill(const ConvGeometry& g, const TapOffsets<T>& offsets, std::int64_t first, int count,
                       OffsetGroups groups, int first_tap, int taps) const {
    const int entries = groups.count * taps;
    for (int i = static_cast<int>(threadIdx.x); i < count * entries; i += static_cast<int>(blockDim.x)) {
      const int line = i / entries, place = i - line * entries, group = place / taps;
      const std::int64_t point = first + line, tap = first_tap + place - group * taps;
      AlignedCorners<T> weight{};
      CellPixels pixels{};
      if (point < g.points) {
        const PanelEntry entry{(point * g.offset_groups + groups.first + group) * g.taps + tap, line, tap, 0};
        const OutputPixel at = output_pixel(g, point);
        const Cell<T> cell = offsets.template cell<CellUse::sample>(g, at, entry);
        weight = {corner_weights(cell, offsets.factor(entry))};
        pixels = cell_pixels(g.shape, at.image, cell);
      }
      weights[line * stride + place] = weight;
      cells[line * stride + place] = PackedCell(pixels);
    }
  }
};

/// How many taps of `pixels` output pixels are planned at a time, beside `tile_bytes` of other shared memory.
template <class T>
class PlanWindow {
 public:
  PlanWindow(const Context& context, const ConvGeometry& g, int pixels, std::size_t tile_bytes) : pixels_(pixels) {
    const auto shared_bytes = static_cast<std::int64_t>(context.shared_bytes_per_block);
    // Larger plans would cost blocks per multiprocessor; this is one of 3×3 taps on the largest GPUs.
    const std::int64_t usual_bytes = shared_bytes / 8;
    const std::int64_t most_bytes = shared_bytes - static_cast<std::int64_t>(tile_bytes);
    groups_ = most_offset_groups(g);
    taps_ = std::min(g.taps, std::max<std::int64_t>(usual_bytes / bytes(1), 1));
    while (taps_ > 0 && bytes(taps_) > most_bytes) --taps_;
  }

  /// 0 where not even one fits.
  int taps() const { return static_cast<int>(taps_); }
  int stride() const { return SamplingPlan<T>::stride_for(taps_ * groups_); }
  std::size_t bytes() const { return static_cast<std::size_t>(bytes(taps_)); }

 private:
  std::int64_t bytes(std::int64_t taps) const {
    return pixels_ * SamplingPlan<T>::stride_for(taps * groups_) * SamplingPlan<T>::entry_bytes;
  }

  std::int64_t pixels_, groups_, taps_;
};

/// Samples tiles [pixels, length] of a group's panel, whose columns are its taps' channels. A slot is sampled in two
/// steps, between which its corners are on their way.
template <class T, int pixels, int length, int stride, int threads, int width, int slots_at_once>
class TileSampler {
  using Lanes = TileLanes<pixels, length, threads, width>;

 public:
  static constexpr int slots = Lanes::slots;

  __device__ TileSampler(const ConvGeometry& g, const T* input, int first_channel, OffsetGroups groups)
      : g_(g), input_(input), first_channel_(first_channel), first_group_(groups.first) {}

  /// Turns to the tile from column `begin` on, counted from tap `first_tap`; the plan has `taps` taps from there on.
  __device__ void place(int begin, int taps) {
    const int column = begin + Lanes::column(), inputs = static_cast<int>(g_.inputs), tap = column / inputs;
    channel_ = first_channel_ + column - tap * inputs;
    const int group = channel_ / static_cast<int>(g_.entry_channels) - first_group_;
    entry_ = tap < taps ? group * taps + tap : -1;
  }

  /// Reads the corners of slots [first, first + slots_at_once).
  __device__ void fetch(const SamplingPlan<T>& plan, int first) {
    DEFT_UNROLL
    for (int slot = 0; slot < slots_at_once; ++slot) {
      DEFT_UNROLL
      for (int item = 0; item < Lanes::items; ++item) {
        const int line = Lanes::line(first + slot, item);
        const CellPixels cell =
            entry_ < 0 || line >= pixels ? CellPixels{} : plan.cells[line * plan.stride + entry_].unpack();
        DEFT_UNROLL
        for (int corner = 0; corner < 4; ++corner) {
          // Corners outside count as zeros rather than not at all: the weights at a NaN position are NaN.
          Pack<T, width>& held = held_[slot][item][corner];
          held = {};
          if (cell.reads(corner)) held = load_pack<width>(input_ + cell.element(g_.shape, corner, channel_));
        }
      }
    }
  }

  /// Writes the samples of the slots that were fetched, as `rounded` gives them.
  template <class Rounded>
  __device__ void store(const SamplingPlan<T>& plan, int first, T* tile, Rounded rounded) const {
    DEFT_UNROLL
    for (int slot = 0; slot < slots_at_once; ++slot) {
      DEFT_UNROLL
      for (int item = 0; item < Lanes::items; ++item) {
        const int line = Lanes::line(first + slot, item);
        if (line >= pixels) continue;
        AlignedCorners<T> weights{};
        if (entry_ >= 0) weights = plan.weights[line * plan.stride + entry_];
        Pack<T, width> sample;
        DEFT_UNROLL
        for (int i = 0; i < width; ++i) {
          T sum = 0;
          DEFT_UNROLL
          for (int corner = 0; corner < 4; ++corner) sum += weights.at[corner] * held_[slot][item][corner][i];
          sample[i] = rounded(sum);
        }
        store_pack_at(tile, line * stride + Lanes::column(), sample);
      }
    }
  }

 private:
  const ConvGeometry& g_;
  const T* input_;
  int first_channel_, first_group_;
  int channel_ = 0, entry_ = -1;  // of the thread's column
  Pack<T, width> held_[slots_at_once][Lanes::items][4] = {};
};

}  // namespace deft::kernels
