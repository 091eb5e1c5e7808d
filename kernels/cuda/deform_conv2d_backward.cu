#include "deft/kernels/cuda/atomic_add.h"
#include "deft/kernels/cuda/conv_gemm.h"
#include "deft/kernels/cuda/deform_fused.h"
#include "deft/kernels/cuda/deform_panel.h"
#include "deft/kernels/detail/instantiate.h"

namespace deft::kernels {
namespace cuda_deform_backward {

/// Gradients of offset and mask, either of which may be null, from the gradient of a panel. Of each entry, the inner
/// products with the pixels at the four corners of its cell give all of them.
template <int width, class T>
__global__ void deform_position_gradient_kernel(ConvGeometry g, Points points, int lanes, const T* input,
                                                TapOffsets<T> offsets, const T* panel, T* grad_offset, T* grad_mask) {
  DEFT_SHARED(Corners<T>, products, panel_threads);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % lanes;
  Cell<T> cell{};  // of the entry that this thread finds
  for_entries<CellPixels>(
      g, points, lanes,
      [&](const PanelEntry& entry) {
        const OutputPixel at = output_pixel(g, points.first + entry.point);
        cell = offsets.template cell<CellUse::derivative>(g, at, entry);
        return cell_pixels(g.shape, at.image, cell);
      },
      [&](int i, const PanelEntry* entry, const CellPixels* pixels) {
        Corners<T> sums{};
        const std::int64_t channels = entry == nullptr || pixels->inside == 0 ? 0 : g.entry_channels;
        for (std::int64_t k = lane * width; k < channels; k += lanes * width) {
          const std::int64_t channel = entry->channel + k;
          const auto gradient =
              load_pack<width>(panel + panel_element(g, points.count, entry->point, entry->tap, channel));
          for (int corner = 0; corner < 4; ++corner) {
            if (!pixels->reads(corner)) continue;
            const auto value = load_pack<width>(input + pixels->element(g.shape, corner, channel));
            for (int j = 0; j < width; ++j) sums.at[corner] += gradient[j] * value[j];
          }
        }
        for (T& sum : sums.at) sum = sum_lanes(sum, lanes);
        if (lane == 0) products[i] = sums;
      },
      [&](const PanelEntry& entry) {
        write_position_gradients(offsets, entry, cell, products[thread], grad_offset, grad_mask);
      });
}

/// Adds the gradient of a panel, weighted, to the pixels that its samples read. The order of the sums, and with it
/// their last bits, change from run to run.
template <int width, class T>
__global__ void deform_input_gradient_atomic_kernel(ConvGeometry g, Points points, int lanes, TapOffsets<T> offsets,
                                                    const T* panel, T* grad_input) {
  using Found = typename DeformedTaps<T>::Found;
  const DeformedTaps<T> taps{nullptr, offsets};
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  for_entries<Found>(
      g, points, lanes,
      [&](const PanelEntry& entry) { return taps.find(g, output_pixel(g, points.first + entry.point), entry); },
      [&](int, const PanelEntry* entry, const Found* found) {
        const std::int64_t channels = entry == nullptr || found->pixels.inside == 0 ? 0 : g.entry_channels;
        for (std::int64_t k = lane * width; k < channels; k += lanes * width) {
          const std::int64_t channel = entry->channel + k;
          const auto gradient =
              load_pack<width>(panel + panel_element(g, points.count, entry->point, entry->tap, channel));
          for (int corner = 0; corner < 4; ++corner) {
            if (!found->pixels.reads(corner)) continue;
            Pack<T, width> share;
            for (int j = 0; j < width; ++j) share[j] = found->weights.at[corner] * gradient[j];
            atomic_add_pack(grad_input + found->pixels.element(g.shape, corner, channel), share);
          }
        }
      },
      [](const PanelEntry&) {});
}

}  // namespace cuda_deform_backward

namespace {

using cuda_deform_backward::deform_input_gradient_atomic_kernel;
using cuda_deform_backward::deform_position_gradient_kernel;

/// Gradients of offset and mask, as far as they are wanted, of the points of a panel, whose gradient is given.
template <class T>
void position_gradients(Context& context, const ConvGeometry& g, const Points& points, const T* input,
                        const TapOffsets<T>& offsets, const T* panel, const DeformConv2dGradients<T>& gradients) {
  const bool packs = packs_fit(g, input);
  launch_for_entries(context,
                     packs ? deform_position_gradient_kernel<pack_width<T>, T> : deform_position_gradient_kernel<1, T>,
                     packs ? pack_width<T> : 1, g, points, input, offsets, panel, gradients.offset, gradients.mask);
}

/// Adds what the points of a panel, whose gradient is given, contribute to that of the input.
template <class T>
void add_input_gradient(Context& context, const ConvGeometry& g, const Points& points, const TapOffsets<T>& offsets,
                        const T* panel, T* grad_input) {
  const bool packs = packs_fit(g, grad_input);
  launch_for_entries(
      context,
      packs ? deform_input_gradient_atomic_kernel<pack_width<T>, T> : deform_input_gradient_atomic_kernel<1, T>,
      packs ? pack_width<T> : 1, g, points, offsets, panel, grad_input);
}

/// The gradients but the bias's, by way of panels; adds to that of the input.
template <class T>
void gradients_by_panels(Cuda device, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                         const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  const bool positions = gradients.offset != nullptr || gradients.mask != nullptr;
  if (g.outputs == 0 || (!positions && gradients.input == nullptr && gradients.weight == nullptr)) return;
  const Panels panels(g, g.panel_row() * static_cast<std::int64_t>(sizeof(T)));
  const DeviceScratch<T> panel(device, panels.largest() * g.panel_row());
  for (std::int64_t i = 0; i < panels.count(); ++i) {
    const Points points = panels[i];
    if (positions || gradients.input != nullptr) {
      panel_gradient(context(device), g, points, grad_output, weight, panel_matrix(g, points, panel.data()));
    }
    if (positions) position_gradients(context(device), g, points, input, offsets, panel.data(), gradients);
    if (gradients.input != nullptr) {
      add_input_gradient(context(device), g, points, offsets, panel.data(), gradients.input);
    }
    if (gradients.weight != nullptr) {
      fill_panel(context(device), g, points, DeformedTaps<T>{input, offsets}, panel.data());
      weight_gradient<T>(context(device), g, points, panel_matrix<const T>(g, points, panel.data()), grad_output,
                         i == 0 ? Accumulate::no : Accumulate::yes, gradients.weight);
    }
  }
}

}  // namespace

template <class T>
void deform_conv2d_backward(Cuda device, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                            const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  const ConvGeometry g(shape, shape.offset_groups);
  const bool positions = gradients.offset != nullptr || gradients.mask != nullptr;
  if (gradients.bias != nullptr) bias_gradient(device, g, grad_output, gradients.bias);
  if (gradients.input != nullptr) fill(device, shape.n * shape.h * shape.w * shape.c, T(0), gradients.input);
  if (gradients.weight != nullptr && g.points == 0) fill(device, shape.o * g.depth, T(0), gradients.weight);
  if (shape.o == 0) {  // no gradient reaches the samples
    const std::int64_t entries = g.points * g.entries;
    if (gradients.offset != nullptr) fill(device, 2 * entries, T(0), gradients.offset);
    if (gradients.mask != nullptr) fill(device, entries, T(0), gradients.mask);
  }
  const TapOffsets<T> offsets{offset, mask};
  DeformConv2dGradients<T> rest = gradients;  // what the fused kernels leave to do
  if (rest.weight != nullptr &&
      fused_deform_weight_gradient(context(device), g, input, offsets, grad_output, rest.weight)) {
    rest.weight = nullptr;
  }
  if ((positions || rest.input != nullptr) &&
      fused_deform_data_gradient(context(device), g, input, offsets, weight, grad_output, rest)) {
    rest.input = rest.offset = rest.mask = nullptr;
  }
  gradients_by_panels(device, g, input, offsets, weight, grad_output, rest);
}

#define DEFT_FLOATING(T)                                                                                          \
  template void deform_conv2d_backward<T>(Cuda, const DeformConv2dShape&, const T*, const T*, const T*, const T*, \
                                          const T*, const DeformConv2dGradients<T>&);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
