#include <atomic>

#include "deft/kernels/cuda/conv_gemm.h"
#include "deft/kernels/cuda/deform_algorithm.h"
#include "deft/kernels/cuda/deform_fused.h"
#include "deft/kernels/cuda/deform_panel.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/detail/instantiate.h"

namespace deft::kernels {
namespace {
std::atomic<DeformAlgorithm> current_algorithm = DeformAlgorithm::automatic;
}

void set_deform_algorithm(DeformAlgorithm algorithm) { current_algorithm = algorithm; }
DeformAlgorithm deform_algorithm() { return current_algorithm; }

template <class T>
void deform_conv2d_forward(Cuda device, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                           const T* weight, const T* bias, T* output) {
  const ConvGeometry g(shape, shape.offset_groups);
  const TapOffsets<T> offsets{offset, mask};
  if (fused_deform_forward(context(device), g, input, offsets, weight, bias, output)) return;
  if (bias != nullptr || g.depth == 0) preset_rows(device, g.points, shape.o, bias, output);
  if (g.depth == 0 || shape.o == 0) return;
  const Panels panels(g, g.panel_row() * static_cast<std::int64_t>(sizeof(T)));
  const DeviceScratch<T> panel(device, panels.largest() * g.panel_row());
  const DeformedTaps<T> taps{input, offsets};
  for (std::int64_t i = 0; i < panels.count(); ++i) {
    const Points points = panels[i];
    fill_panel(context(device), g, points, taps, panel.data());
    multiply_panel<T>(context(device), g, points, panel_matrix<const T>(g, points, panel.data()), weight,
                      bias == nullptr ? Accumulate::no : Accumulate::yes, output);
  }
}

#define DEFT_FLOATING(T)                                                                                         \
  template void deform_conv2d_forward<T>(Cuda, const DeformConv2dShape&, const T*, const T*, const T*, const T*, \
                                         const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
