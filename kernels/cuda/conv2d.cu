#include "deft/kernels/conv2d.h"
#include "deft/kernels/cuda/conv_gemm.h"
#include "deft/kernels/cuda/panel_loop.h"
#include "deft/kernels/detail/instantiate.h"

namespace deft::kernels {
namespace cuda_conv2d {

/// What fill_panel reads for a convolution: the pixels under its taps, zeros outside the image.
template <class T>
struct GridTaps {
  struct Found {
    std::int64_t first;  ///< channel 0's element of the input, or −1 outside
  };

  const T* input;

  __device__ Found find(const ConvGeometry& g, const OutputPixel& at, const PanelEntry& entry) const {
    const Conv2dShape& s = g.shape;
    const std::int64_t tap_row = quotient(entry.tap, s.kernel_w), tap_column = entry.tap - tap_row * s.kernel_w;
    const std::int64_t y = at.row * s.stride_h - s.pad_top + tap_row * s.dilation_h;
    const std::int64_t x = at.column * s.stride_w - s.pad_left + tap_column * s.dilation_w;
    return {y >= 0 && y < s.h && x >= 0 && x < s.w ? input_element(s, at.image, y, x, 0) : -1};
  }

  template <int width>
  __device__ Pack<T, width> load(const ConvGeometry&, const Found& found, std::int64_t channel) const {
    return found.first < 0 ? Pack<T, width>{} : load_pack<width>(input + found.first + channel);
  }
};

/// The output row, or column, that reads input coordinate `y` through the tap `tap`; −1 where none does.
DEFT_HOST_DEVICE inline std::int64_t reader(std::int64_t y, std::int64_t tap, std::int64_t pad, std::int64_t dilation,
                                            std::int64_t stride, std::int64_t size) {
  const std::int64_t distance = y + pad - tap * dilation;
  if (distance < 0) return -1;
  const std::int64_t i = stride == 1 ? distance : quotient(distance, stride);
  return i * stride == distance && i < size ? i : -1;
}

/// Pixels [first, first + count) of the input, counted over the batch.
struct InputPixels {
  std::int64_t first, count;
};

/// Adds up, for each of some input pixels, the gradients that it has in a panel, where several taps of several output
/// pixels read it. To be accumulated where other panels have more of them.
template <int width, class T>
__global__ void gather_taps_kernel(ConvGeometry g, Points points, InputPixels pixels, bool accumulate, const T* panel,
                                   T* grad_input) {
  const Conv2dShape& s = g.shape;
  const std::int64_t packs = s.c / width;
  for (std::int64_t i = first_index(); i < pixels.count * packs; i += index_step()) {
    const std::int64_t nth = quotient(i, packs), pixel = pixels.first + nth, channel = (i - nth * packs) * width;
    const std::int64_t line = quotient(pixel, s.w), image = quotient(line, s.h);
    const std::int64_t y = line - image * s.h, x = pixel - line * s.w;
    T* const to = grad_input + pixel * s.c + channel;
    Pack<T, width> sum = accumulate ? load_pack<width>(to) : Pack<T, width>{};
    for (std::int64_t tap_row = 0; tap_row < s.kernel_h; ++tap_row) {
      const std::int64_t row = reader(y, tap_row, s.pad_top, s.dilation_h, s.stride_h, g.rows);
      if (row < 0) continue;
      for (std::int64_t tap_column = 0; tap_column < s.kernel_w; ++tap_column) {
        const std::int64_t column = reader(x, tap_column, s.pad_left, s.dilation_w, s.stride_w, g.columns);
        const std::int64_t point = (image * g.rows + row) * g.columns + column - points.first;
        if (column < 0 || point < 0 || point >= points.count) continue;
        const std::int64_t tap = tap_row * s.kernel_w + tap_column;
        const auto gradient = load_pack<width>(panel + panel_element(g, points.count, point, tap, channel));
        for (int j = 0; j < width; ++j) sum[j] += gradient[j];
      }
    }
    store_pack<width>(to, sum);
  }
}

}  // namespace cuda_conv2d

namespace {

using cuda_conv2d::GridTaps;
using cuda_conv2d::InputPixels;

/// Whether the input itself serves as panel.
bool is_pointwise(const Conv2dShape& s) {
  return s.taps() == 1 && s.stride_h == 1 && s.stride_w == 1 && s.pad_top == 0 && s.pad_bottom == 0 &&
         s.pad_left == 0 && s.pad_right == 0;
}

/// The panels of a convolution, one after another in the same memory.
template <class T>
class PanelBuffer {
 public:
  PanelBuffer(Cuda device, const ConvGeometry& g)
      : device_(device),
        geometry_(g),
        pointwise_(is_pointwise(g.shape)),
        point_size_(pointwise_ ? 0 : g.panel_row()),
        panels_(g, point_size_ * static_cast<std::int64_t>(sizeof(T))),
        data_(device, panels_.largest() * point_size_) {}

  const Panels& panels() const { return panels_; }
  bool pointwise() const { return pointwise_; }

  /// The panel itself, uninitialised. Not for pointwise convolutions.
  T* data() const { return data_.data(); }

  /// The panel of these points of the input.
  GemmMatrix<const T> filled(const Points& points, const T* input) const {
    if (pointwise_) return pixel_matrix(geometry_, points, geometry_.inputs, input);
    fill_panel(context(device_), geometry_, points, GridTaps<T>{input}, data());
    return panel_matrix<const T>(geometry_, points, data());
  }

 private:
  Cuda device_;
  const ConvGeometry& geometry_;
  bool pointwise_;
  std::int64_t point_size_;
  Panels panels_;
  DeviceScratch<T> data_;
};

/// The input pixels that points of whole images, or of some rows of one, read.
InputPixels pixels_under(const ConvGeometry& g, const Points& points, bool whole_images) {
  const Conv2dShape& s = g.shape;
  const OutputPixel first = output_pixel(g, points.first), last = output_pixel(g, points.first + points.count - 1);
  if (whole_images) return {first.image * s.h * s.w, (last.image - first.image + 1) * s.h * s.w};
  const auto line = [&](std::int64_t y) { return std::clamp<std::int64_t>(y, 0, s.h); };
  const std::int64_t begin = line(first.row * s.stride_h - s.pad_top);
  const std::int64_t end = line(last.row * s.stride_h - s.pad_top + (s.kernel_h - 1) * s.dilation_h + 1);
  return {(first.image * s.h + begin) * s.w, std::max<std::int64_t>(end - begin, 0) * s.w};
}

template <class T>
void gather_taps(Cuda device, const ConvGeometry& g, const Points& points, const InputPixels& pixels, bool accumulate,
                 const T* panel, T* grad_input) {
  constexpr int width = pack_width<T>;
  const bool packs = packs_fit<width>(g.inputs, grad_input);
  launch(packs ? cuda_conv2d::gather_taps_kernel<width, T> : cuda_conv2d::gather_taps_kernel<1, T>,
         Grid(blocks_for(pixels.count * g.shape.c / (packs ? width : 1))), block_threads, 0, context(device).stream, g,
         points, pixels, accumulate, panel, grad_input);
}

}  // namespace

template <class T>
void conv2d_forward(Cuda device, const Conv2dShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  const ConvGeometry g(shape);
  if (bias != nullptr || g.depth == 0) preset_rows(device, g.points, shape.o, bias, output);
  if (g.depth == 0 || shape.o == 0) return;
  const PanelBuffer<T> buffer(device, g);
  for (std::int64_t i = 0; i < buffer.panels().count(); ++i) {
    const Points points = buffer.panels()[i];
    multiply_panel(context(device), g, points, buffer.filled(points, input), weight,
                   bias == nullptr ? Accumulate::no : Accumulate::yes, output);
  }
}

template <class T>
void conv2d_backward_input(Cuda device, const Conv2dShape& shape, const T* grad_output, const T* weight,
                           T* grad_input) {
  const ConvGeometry g(shape);
  const PanelBuffer<T> buffer(device, g);
  const bool nothing = g.points == 0 || shape.o == 0;
  // Where panels hold parts of images they share pixels, and each adds to what the others wrote.
  const bool accumulate = !buffer.panels().of_whole_images();
  if (nothing || accumulate) fill(device, shape.n * shape.h * shape.w * shape.c, T(0), grad_input);
  if (nothing) return;
  for (std::int64_t i = 0; i < buffer.panels().count(); ++i) {
    const Points points = buffer.panels()[i];
    if (buffer.pointwise()) {
      panel_gradient(context(device), g, points, grad_output, weight, pixel_matrix(g, points, g.inputs, grad_input));
      continue;
    }
    panel_gradient(context(device), g, points, grad_output, weight, panel_matrix(g, points, buffer.data()));
    gather_taps(device, g, points, pixels_under(g, points, !accumulate), accumulate, buffer.data(), grad_input);
  }
}

template <class T>
void conv2d_backward_weight(Cuda device, const Conv2dShape& shape, const T* input, const T* grad_output, T* grad_weight,
                            T* grad_bias) {
  const ConvGeometry g(shape);
  if (grad_bias != nullptr) bias_gradient(device, g, grad_output, grad_bias);
  if (g.points == 0) fill(device, shape.o * g.depth, T(0), grad_weight);
  const PanelBuffer<T> buffer(device, g);
  for (std::int64_t i = 0; i < buffer.panels().count(); ++i) {
    const Points points = buffer.panels()[i];
    weight_gradient(context(device), g, points, buffer.filled(points, input), grad_output,
                    i == 0 ? Accumulate::no : Accumulate::yes, grad_weight);
  }
}

#define DEFT_FLOATING(T)                                                                       \
  template void conv2d_forward<T>(Cuda, const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_backward_input<T>(Cuda, const Conv2dShape&, const T*, const T*, T*);    \
  template void conv2d_backward_weight<T>(Cuda, const Conv2dShape&, const T*, const T*, T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
