// The matrix products of convolutions on a GPU, one per panel for all groups.
#pragma once

#include "deft/kernels/cuda/conv_panel.h"
#include "deft/kernels/cuda/gemm.h"
#include "deft/kernels/reduce.h"
#include "deft/kernels/runtime/cuda/scratch.h"

namespace deft::kernels {

/// A panel's rows as the factor or result of products, in the layout of fill_panel.
template <class T>
GemmMatrix<T> panel_matrix(const ConvGeometry& g, const Points& points, T* panel) {
  return {panel, g.depth, points.count * g.depth};
}

/// The rows of `points` in a tensor of pixels with `channels` channels per group, such as the output.
template <class T>
GemmMatrix<T> pixel_matrix(const ConvGeometry& g, const Points& points, std::int64_t channels, T* data) {
  return {data + points.first * g.shape.groups * channels, g.shape.groups * channels, channels};
}

/// The weights of each group, [outputs, depth].
template <class T>
GemmMatrix<T> weight_matrix(const ConvGeometry& g, T* weight) {
  return {weight, g.depth, g.outputs * g.depth};
}

template <class T>
GemmMatrix<T> transposed(GemmMatrix<T> matrix) {
  matrix.transposed = true;
  return matrix;
}

/// The output's rows of `points`: panel · weightᵀ.
template <class T>
void multiply_panel(Context& context, const ConvGeometry& g, const Points& points, const GemmMatrix<const T>& panel,
                    const T* weight, Accumulate accumulate, T* output) {
  gemm<T>(context, {points.count, g.outputs, g.depth, g.shape.groups}, panel, transposed(weight_matrix(g, weight)),
          accumulate, pixel_matrix(g, points, g.outputs, output));
}

/// The gradient of a panel: grad_output · weight.
template <class T>
void panel_gradient(Context& context, const ConvGeometry& g, const Points& points, const T* grad_output,
                    const T* weight, const GemmMatrix<T>& panel) {
  gemm<T>(context, {points.count, g.depth, g.outputs, g.shape.groups}, pixel_matrix(g, points, g.outputs, grad_output),
          weight_matrix(g, weight), Accumulate::no, panel);
}

/// grad_weight = grad_outputᵀ · panel, or += that.
template <class T>
void weight_gradient(Context& context, const ConvGeometry& g, const Points& points, const GemmMatrix<const T>& panel,
                     const T* grad_output, Accumulate accumulate, T* grad_weight) {
  gemm<T>(context, {g.outputs, g.depth, points.count, g.shape.groups},
          transposed(pixel_matrix(g, points, g.outputs, grad_output)), panel, accumulate,
          weight_matrix(g, grad_weight));
}

/// The bias's gradient: the sums of grad_output [points, o] over the points.
template <class T>
void bias_gradient(Cuda device, const ConvGeometry& g, const T* grad_output, T* grad_bias) {
  Strided<2> columns;
  columns.add_axis(g.points, {g.shape.o, 0});
  columns.add_axis(g.shape.o, {1, 1});
  reduce(device, ReduceOp::sum, columns, grad_output, grad_bias);
}

}  // namespace deft::kernels
