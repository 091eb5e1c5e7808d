// Initialisers of parameters. Weights are [out, in] or [out, kernel_h, kernel_w, in / groups]; fan_in is the number of
// inputs that one output reads (all axes but the first), fan_out the out axis times the kernel's area.
#pragma once

#include "deft/core/generator.h"
#include "deft/core/tensor.h"

namespace deft::init {

/// All of these overwrite `tensor`, a floating leaf, and draw from `generator`.

/// Uniform in [low, high).
void uniform_(Tensor tensor, double low, double high, Generator& generator = default_generator());
void normal_(Tensor tensor, double mean, double std, Generator& generator = default_generator());
/// Normal, drawn again where further than two standard deviations from the mean (TensorFlow's truncated_normal).
void truncated_normal_(Tensor tensor, double mean, double std, Generator& generator = default_generator());
void constant_(Tensor tensor, double value);

/// Uniform in ±√(6 / ((1 + a²) fan_in)): He et al. 2015 (arXiv:1502.01852). With a = √5 this is PyTorch's default for
/// convolutions and linear layers, ±1/√fan_in.
void kaiming_uniform_(Tensor tensor, double a, Generator& generator = default_generator());
/// Uniform in ±√(6 / (fan_in + fan_out)): Glorot and Bengio 2010.
void xavier_uniform_(Tensor tensor, Generator& generator = default_generator());
/// Normal with std √(1 / fan_in): LeCun et al. 1998; Chainer's default.
void lecun_normal_(Tensor tensor, Generator& generator = default_generator());

/// PyTorch's defaults for a convolution or linear layer: weight kaiming_uniform with a = √5, bias (unless undefined)
/// uniform in ±1/√fan_in of the weight.
void default_weight_and_bias_(Tensor weight, Tensor bias, Generator& generator = default_generator());

}  // namespace deft::init
