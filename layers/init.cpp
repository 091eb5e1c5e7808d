#include "deft/layers/init.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "deft/core/autograd.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/philox.h"

namespace deft::init {
namespace {

// Draws on the host, so that a model starts from the same values on every device.
template <class Draw>
void fill(Tensor& tensor, Generator& generator, Draw&& draw) {
  PhiloxSequence sequence(generator.seed(), generator.next_stream());
  visit_floating(tensor.dtype(), "init", [&]<class T>() {
    std::vector<T> values(static_cast<std::size_t>(tensor.numel()));
    for (T& value : values) value = static_cast<T>(draw(sequence));
    const NoGrad no_grad;
    tensor.copy_(from_vector(values, tensor.shape(), Device::cpu()));
  });
}

struct Fans {
  double in, out;
};

Fans fans(const Tensor& weight) {
  if (weight.dim() < 2 || weight.numel() == 0) {
    throw Error(
        fmt::format("init: weight is {}, expected at least two axes and one element", to_string(weight.shape())));
  }
  const double outputs = static_cast<double>(weight.size(0));
  const double elements = static_cast<double>(weight.numel());
  return {elements / outputs, elements / static_cast<double>(weight.size(-1))};
}

}  // namespace

void uniform_(Tensor tensor, double low, double high, Generator& generator) {
  fill(tensor, generator, [=](PhiloxSequence& sequence) { return sequence.uniform(low, high); });
}

void normal_(Tensor tensor, double mean, double std, Generator& generator) {
  fill(tensor, generator, [=](PhiloxSequence& sequence) { return mean + std * sequence.normal(); });
}

void truncated_normal_(Tensor tensor, double mean, double std, Generator& generator) {
  fill(tensor, generator, [=](PhiloxSequence& sequence) {
    double z = sequence.normal();
    while (std::abs(z) > 2) z = sequence.normal();
    return mean + std * z;
  });
}

void constant_(Tensor tensor, double value) {
  const NoGrad no_grad;
  tensor.fill_(value);
}

void kaiming_uniform_(Tensor tensor, double a, Generator& generator) {
  const double bound = std::sqrt(6 / ((1 + a * a) * fans(tensor).in));
  uniform_(tensor, -bound, bound, generator);
}

void xavier_uniform_(Tensor tensor, Generator& generator) {
  const auto [in, out] = fans(tensor);
  const double bound = std::sqrt(6 / (in + out));
  uniform_(tensor, -bound, bound, generator);
}

void lecun_normal_(Tensor tensor, Generator& generator) {
  normal_(tensor, 0, std::sqrt(1 / fans(tensor).in), generator);
}

void default_weight_and_bias_(Tensor weight, Tensor bias, Generator& generator) {
  kaiming_uniform_(weight, std::sqrt(5.0), generator);
  if (!bias.defined()) return;
  const double bound = 1 / std::sqrt(fans(weight).in);
  uniform_(bias, -bound, bound, generator);
}

}  // namespace deft::init
