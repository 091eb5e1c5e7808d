// Activation functions of one argument, elementwise, and their modules. float32 and float64; other types throw Error.
// Those that take their argument by value write over the memory of a temporary: relu(conv(x)) needs no second buffer.
#pragma once

#include "deft/layers/module.h"

namespace deft {

/// max(x, 0); the derivative at 0 is 0.
Tensor relu(Tensor x);

struct LeakyReLUOptions {
  double negative_slope = 0.01;
};

/// x where x > 0, else negative_slope · x.
Tensor leaky_relu(const Tensor& x, const LeakyReLUOptions& options = {});

struct ELUOptions {
  double alpha = 1;
};

/// Exponential linear unit, x where x > 0, else alpha · (exp(x) − 1); the derivative at 0 is alpha. Clevert,
/// Unterthiner and Hochreiter 2015, arXiv:1511.07289.
Tensor elu(const Tensor& x, const ELUOptions& options = {});

/// 1 / (1 + exp(−x)).
Tensor sigmoid(Tensor x);

Tensor tanh(Tensor x);

struct GELUOptions {
  bool tanh_approximation = false;  ///< PyTorch's approximate="tanh"
};

/// Gaussian error linear unit, x · Φ(x) with the normal distribution function Φ, or its approximation
/// x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))). Hendrycks and Gimpel 2016, arXiv:1606.08415.
Tensor gelu(const Tensor& x, const GELUOptions& options = {});

/// Sigmoid linear unit, x · sigmoid(x). Elfwing, Uchibe and Doya 2017, arXiv:1702.03118.
Tensor silu(const Tensor& x);

struct SoftplusOptions {
  double beta = 1;
  double threshold = 20;  ///< where beta · x is larger, the result is x
};

/// log(1 + exp(beta · x)) / beta. Throws Error unless beta is positive.
Tensor softplus(const Tensor& x, const SoftplusOptions& options = {});

/// x · min(max(x + 3, 0), 6) / 6. Howard et al. 2019, arXiv:1905.02244.
Tensor hardswish(const Tensor& x);

class ReLU : public Module {
 public:
  Tensor forward(const Tensor& input) override { return relu(input); }
};

class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(const LeakyReLUOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& input) override { return leaky_relu(input, options_); }
  const LeakyReLUOptions& options() const { return options_; }

 private:
  LeakyReLUOptions options_;
};

class ELU : public Module {
 public:
  explicit ELU(const ELUOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& input) override { return elu(input, options_); }
  const ELUOptions& options() const { return options_; }

 private:
  ELUOptions options_;
};

class Sigmoid : public Module {
 public:
  Tensor forward(const Tensor& input) override { return sigmoid(input); }
};

class Tanh : public Module {
 public:
  Tensor forward(const Tensor& input) override { return tanh(input); }
};

class GELU : public Module {
 public:
  explicit GELU(const GELUOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& input) override { return gelu(input, options_); }
  const GELUOptions& options() const { return options_; }

 private:
  GELUOptions options_;
};

class SiLU : public Module {
 public:
  Tensor forward(const Tensor& input) override { return silu(input); }
};

class Softplus : public Module {
 public:
  explicit Softplus(const SoftplusOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& input) override { return softplus(input, options_); }
  const SoftplusOptions& options() const { return options_; }

 private:
  SoftplusOptions options_;
};

class Hardswish : public Module {
 public:
  Tensor forward(const Tensor& input) override { return hardswish(input); }
};

}  // namespace deft
