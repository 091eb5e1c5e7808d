#include "deft/layers/sequential.h"

namespace deft {

Tensor Sequential::forward(const Tensor& input) {
  Tensor x = input;
  for (const ModuleHolder& module : modules_) x = (*module)(x);
  return x;
}

}  // namespace deft
