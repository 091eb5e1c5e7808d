#include "deft/apps/bench/kernel_case.h"

#include <fmt/format.h>

#include "deft/core/random.h"

namespace deft::bench {

double Operand::traffic() const {
  return moved * static_cast<double>(shape.numel()) * static_cast<double>(size_of(dtype)) *
         (access == Access::update ? 2 : 1);
}

Tensor Operand::make() const {
  if (access == Access::write) return empty(shape, {.dtype = dtype});
  if (dtype != DType::float32) return randint(0, below, shape).to(dtype);
  return normal ? randn(shape) : rand(shape);
}

double KernelCase::traffic() const {
  double bytes = 0;
  for (const Operand& operand : operands) bytes += operand.traffic();
  return bytes;
}

std::string to_string(const KernelCase& kernel) {
  return fmt::format("{} {} {}", kernel.op, kernel.pass, kernel.sizes);
}

std::string to_string(const ImageSize& images) { return fmt::format("{}×{}²×{}", images.n, images.size, images.c); }

}  // namespace deft::bench
