#include "deft/data/affine_warp.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/dispatch.h"

namespace deft {
namespace {

void check(const Tensor& images, const Tensor& matrices, const AffineWarpOptions& options) {
  require_dim("affine_warp", {"images", images}, 4, "[N, H, W, C]");
  require_same_device("affine_warp", {{"images", images}, {"matrices", matrices}});
  if (images.dtype() == DType::int64) throw Error("affine_warp: images is int64, expected uint8, float32 or float64");
  if (matrices.shape() != Shape{images.size(0), 2, 3}) {
    throw Error(fmt::format("affine_warp: matrices is {}, expected [{}, 2, 3] (one per image)",
                            to_string(matrices.shape()), images.size(0)));
  }
  require_floating("affine_warp", {"matrices", matrices});
  if (!is_floating(options.dtype)) {
    throw Error(fmt::format("affine_warp: dtype is {}, expected float32 or float64", to_string(options.dtype)));
  }
  if (options.height < 0 || options.width < 0) {
    throw Error(
        fmt::format("affine_warp: height and width are {} and {}, expected at least 0", options.height, options.width));
  }
  if (options.border == Border::replicate && images.size(1) * images.size(2) == 0) {
    throw Error(fmt::format("affine_warp: images is {}: no pixel to replicate", to_string(images.shape())));
  }
}

// A list of numbers per channel as a tensor.
Tensor per_channel(const char* name, const std::vector<double>& values, double absent, const Tensor& images,
                   DType dtype) {
  const std::int64_t channels = images.size(3);
  if (values.size() > 1 && static_cast<std::int64_t>(values.size()) != channels) {
    throw Error(
        fmt::format("affine_warp: {} has {} values, expected 1 or {} (channels)", name, values.size(), channels));
  }
  if (values.size() <= 1) return full({channels}, values.empty() ? absent : values[0], {dtype, images.device()});
  return from_vector(values, {channels}, images.device()).to(dtype);
}

}  // namespace

Tensor affine_warp(const Tensor& images, const Tensor& matrices, const AffineWarpOptions& options) {
  check(images, matrices, options);
  const DType dtype = is_floating(images.dtype()) ? images.dtype() : options.dtype;
  const Tensor scale = per_channel("scale", options.scale, 1, images, dtype);
  const Tensor shift = per_channel("shift", options.shift, 0, images, dtype);
  const Tensor fill = per_channel("fill", options.fill, 0, images, dtype);
  const NoGrad no_grad;
  const Tensor matrix = matrices.to(dtype);
  const kernels::AffineWarpShape shape{images.size(0),
                                       images.size(1),
                                       images.size(2),
                                       images.size(3),
                                       options.height > 0 ? options.height : images.size(1),
                                       options.width > 0 ? options.width : images.size(2),
                                       options.interpolation,
                                       options.border};
  Tensor output = empty({shape.n, shape.h_out, shape.w_out, shape.c}, {dtype, images.device()});
  const auto warp = [&]<class In, class T>(auto place) {
    kernels::affine_warp<In, T>(place, shape, images.data<In>(), matrix.data<T>(), scale.data<T>(), shift.data<T>(),
                                fill.data<T>(), output.mutable_data<T>());
  };
  dispatch_floating(output, "affine_warp", [&]<class T>(auto place) {
    if (images.dtype() == DType::uint8) {
      warp.template operator()<std::uint8_t, T>(place);
    } else {
      warp.template operator()<T, T>(place);
    }
  });
  record("affine_warp", {images, matrices}, {}, {output}, {});
  return output;
}

}  // namespace deft
