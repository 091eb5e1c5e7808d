#include "deft/layers/dropout.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/random.h"

namespace deft {
namespace {

void check(double p) {
  if (!(p >= 0 && p <= 1)) throw Error(fmt::format("dropout: p is {}, expected from 0 to 1", p));
}

Tensor apply_mask(const Tensor& input, double p, kernels::RandomStream random) {
  Tensor output = empty_like(input);
  dispatch_floating(input, "dropout", [&]<class T>(auto place) {
    kernels::dropout<T>(place, random, input.numel(), p, input.data<T>(), output.mutable_data<T>());
  });
  return output;
}

}  // namespace

Tensor dropout(const Tensor& input, const DropoutOptions& options, Generator& generator) {
  const double p = options.p;
  check(p);
  const kernels::RandomStream random{generator.seed(), generator.next_stream()};
  const Tensor output = apply_mask(input, p, random);
  record("dropout", {input}, {{"p", p}}, {output},
         {.apply = [p, random](const BackwardContext& context) -> std::vector<Tensor> {
           return {apply_mask(context.grad(), p, random)};
         }});
  return output;
}

Dropout::Dropout(const DropoutOptions& options) : options_(options) { check(options.p); }

Tensor Dropout::forward(const Tensor& input) { return is_training() ? dropout(input, options_) : input; }

}  // namespace deft
