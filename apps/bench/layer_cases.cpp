#include "deft/apps/bench/kernel_case.h"
#include "deft/kernels/affine_warp.h"
#include "deft/kernels/batch_norm.h"
#include "deft/kernels/deform_positions.h"
#include "deft/kernels/pool2d.h"
#include "deft/kernels/softmax.h"

namespace deft::bench {

namespace {

using namespace kernels;

class LayerCases : public CaseList {
 public:
  explicit LayerCases(const ImageSize& images)
      : CaseList(to_string(images)),
        images_(images),
        rows_(images.n * images.size * images.size),
        shape_{images.n, images.size, images.size, images.c} {}

  void add_batch_norm() {
    const BatchNormShape shape{rows_, images_.c};
    const Operand x = read(shape_), y = write(shape_), per_channel = read({images_.c}),
                  new_channel = write({images_.c});
    add("batch_norm, training", "forward", {x, per_channel, per_channel, new_channel, new_channel, y},
        [shape](auto device, const Pointers& p) {
          batch_norm_forward_training<float>(device, shape, p.at(0), p.at(1), p.at(2), 1e-5, {}, p.at(3), p.at(4),
                                             p.at(5));
        });
    add("batch_norm, inference", "forward", {x, per_channel, per_channel, per_channel, per_channel, new_channel, y},
        [shape](auto device, const Pointers& p) {
          batch_norm_forward_inference<float>(device, shape, p.at(0), p.at(1), p.at(2), 1e-5, p.at(3), p.at(4), p.at(5),
                                              p.at(6));
        });
    add("batch_norm, training", "backward", {x, x, per_channel, per_channel, per_channel, y, new_channel, new_channel},
        [shape](auto device, const Pointers& p) {
          batch_norm_backward<float>(device, shape, true, p.at(0), p.at(1), p.at(2), p.at(3), p.at(4),
                                     {p.at(5), p.at(6), p.at(7)});
        });
  }

  // 2×2 windows, stride 2.
  void add_pooling() {
    const auto [n, size, c] = images_;
    Pool2dShape shape;
    shape.n = n, shape.h = shape.w = size, shape.c = c;
    shape.kernel_h = shape.kernel_w = shape.stride_h = shape.stride_w = 2;
    const Shape pooled{n, shape.h_out(), shape.w_out(), c};
    add("max_pool2d", "forward", {read(shape_), write(pooled), write(pooled, DType::uint8)},
        [shape](auto device, const Pointers& p) {
          max_pool2d_forward<float>(device, shape, p.at(0), p.at(1), p.at<std::uint8_t>(2));
        });
    add("max_pool2d", "backward", {read(pooled), bytes(pooled, shape.taps()), write(shape_)},
        [shape](auto device, const Pointers& p) {
          max_pool2d_backward<float>(device, shape, p.at(0), p.at<std::uint8_t>(1), p.at(2));
        });
    add("avg_pool2d", "forward", {read(shape_), write(pooled)},
        [shape](auto device, const Pointers& p) { avg_pool2d_forward<float>(device, shape, true, p.at(0), p.at(1)); });
    add("avg_pool2d", "backward", {read(pooled), write(shape_)},
        [shape](auto device, const Pointers& p) { avg_pool2d_backward<float>(device, shape, true, p.at(0), p.at(1)); });
    const AdaptivePool2dShape global{n, size, size, c};
    add("global_avg_pool2d", "forward", {read(shape_), write({n, c})}, [global](auto device, const Pointers& p) {
      adaptive_avg_pool2d_forward<float>(device, global, p.at(0), p.at(1));
    });
    add("global_avg_pool2d", "backward", {read({n, c}), write(shape_)}, [global](auto device, const Pointers& p) {
      adaptive_avg_pool2d_backward<float>(device, global, p.at(0), p.at(1));
    });
  }

  // The prediction of a modulated deformable 3×3 convolution, with the offsets clamped.
  void add_deform_positions() {
    constexpr std::int64_t taps = 9;
    const DeformPositionsShape shape{rows_, taps, 0.5, 1};
    const Operand prediction = offsets({rows_, 3 * taps}), offset = read({rows_, 2 * taps}), mask = read({rows_, taps});
    add("deform_positions", "forward", {prediction, write(offset.shape), write(mask.shape)},
        [shape](auto device, const Pointers& p) {
          deform_positions_forward<float>(device, shape, p.at(0), p.at(1), p.at(2));
        });
    add("deform_positions", "backward", {offset, mask, prediction, mask, write(prediction.shape)},
        [shape](auto device, const Pointers& p) {
          deform_positions_backward<float>(device, shape, p.at(0), p.at(1), p.at(2), p.at(3), p.at(4));
        });
  }

  void add_softmax() {
    const SoftmaxShape shape{rows_, images_.c, 1};
    const Operand x = read(shape_), y = write(shape_);
    add("softmax", "forward", {x, y},
        [shape](auto device, const Pointers& p) { softmax_forward<float>(device, shape, p.at(0), p.at(1)); });
    add("softmax", "backward", {x, x, y},
        [shape](auto device, const Pointers& p) { softmax_backward<float>(device, shape, p.at(0), p.at(1), p.at(2)); });
    add("log_softmax", "forward", {x, y},
        [shape](auto device, const Pointers& p) { log_softmax_forward<float>(device, shape, p.at(0), p.at(1)); });
    add("log_softmax", "backward", {x, x, y}, [shape](auto device, const Pointers& p) {
      log_softmax_backward<float>(device, shape, p.at(0), p.at(1), p.at(2));
    });
    const CrossEntropyShape loss{rows_, images_.c};
    const Operand target = indices({rows_}, images_.c), per_row = read({rows_}), new_row = write({rows_});
    add("cross_entropy", "forward", {x, target, new_row, new_row}, [loss](auto device, const Pointers& p) {
      cross_entropy_forward<float>(device, loss, p.at(0), p.at<std::int64_t>(1), nullptr, p.at(2), p.at(3), nullptr);
    });
    add("cross_entropy", "backward", {per_row, x, target, per_row, y}, [loss](auto device, const Pointers& p) {
      cross_entropy_backward<float>(device, loss, p.at(0), p.at(1), p.at<std::int64_t>(2), nullptr, p.at(3), p.at(4));
    });
  }

  // Matrices with entries in [0, 1): enlarging and sheared, so that neighbouring pixels read from several rows.
  void add_affine_warp() {
    const auto [n, size, c] = images_;
    AffineWarpShape shape{.n = n, .h = size, .w = size, .c = c, .h_out = size, .w_out = size};
    const std::vector<Operand> operands = {bytes(shape_, 256), read({n, 6}), read({c}),
                                           read({c}),          read({c}),    write(shape_)};
    for (const auto& [name, interpolation] : {std::pair("affine_warp, nearest", Interpolation::nearest),
                                              {"affine_warp, bilinear", Interpolation::bilinear}}) {
      shape.interpolation = interpolation;
      add(name, "", operands, [shape](auto device, const Pointers& p) {
        affine_warp<std::uint8_t, float>(device, shape, p.at<std::uint8_t>(0), p.at(1), p.at(2), p.at(3), p.at(4),
                                         p.at(5));
      });
    }
  }

 private:
  ImageSize images_;
  std::int64_t rows_;
  Shape shape_;
};

}  // namespace

std::vector<KernelCase> layer_cases(const ImageSize& images) {
  LayerCases cases(images);
  cases.add_batch_norm();
  cases.add_pooling();
  cases.add_deform_positions();
  cases.add_softmax();
  cases.add_affine_warp();
  return cases.take();
}

}  // namespace deft::bench
