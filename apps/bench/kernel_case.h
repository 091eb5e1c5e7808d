// What `bench kernels` measures: the kernels' contracts, each with operands that it describes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/kernels/runtime/dispatch.h"

namespace deft::bench {

/// One operand of a kernel. What is read or updated is random: uniform in [0, 1), or normal; integers uniform in
/// [0, below).
struct Operand {
  enum class Access { read, write, update };

  Shape shape;
  Access access = Access::read;
  DType dtype = DType::float32;
  std::int64_t below = 2;
  bool normal = false;
  double moved = 1;  ///< share of the elements that the kernel touches

  /// Bytes that a kernel must move for it: each element once, updated ones twice.
  double traffic() const;
  /// Its elements, on the default device.
  Tensor make() const;
};

inline Operand read(const Shape& shape) { return {shape}; }
inline Operand write(const Shape& shape, DType dtype = DType::float32) {
  return {shape, Operand::Access::write, dtype};
}
inline Operand update(const Shape& shape) { return {shape, Operand::Access::update}; }
/// Offsets of about a pixel.
inline Operand offsets(const Shape& shape) { return {.shape = shape, .normal = true}; }
inline Operand bytes(const Shape& shape, std::int64_t below) {
  return {shape, Operand::Access::read, DType::uint8, below};
}
inline Operand indices(const Shape& shape, std::int64_t below) {
  return {shape, Operand::Access::read, DType::int64, below};
}

/// The operands of one call, as pointers.
class Pointers {
 public:
  explicit Pointers(std::vector<Tensor>& tensors) : tensors_(tensors) {}
  template <class T = float>
  T* at(std::size_t i) const {
    return tensors_[i].mutable_data<T>();
  }

 private:
  std::vector<Tensor>& tensors_;
};

/// One kernel at one size.
struct KernelCase {
  std::string op, pass;  ///< "conv2d", "backward_input"
  std::string sizes;     ///< "64×14×14×32→32"
  std::vector<Operand> operands;
  std::function<void(Device, const Pointers&)> run;
  double flops = 0;  ///< multiplications and additions of its matrix products, 0 where the bytes decide
  std::int64_t n = 0, c = 0, o = 0, size = 0;  ///< of convolutions

  double traffic() const;
};

/// "conv2d backward_input 64×14²×32→32".
std::string to_string(const KernelCase& kernel);

/// The function of a KernelCase from one that takes the place: [](auto place, const Pointers& p) { … }.
template <class Call>
std::function<void(Device, const Pointers&)> on_pointers(Call call) {
  return [call](Device device, const Pointers& p) { on_place(device, [&](auto place) { call(place, p); }); };
}

/// Cases at one size.
class CaseList {
 public:
  explicit CaseList(std::string sizes) : sizes_(std::move(sizes)) {}

  template <class Call>
  KernelCase& add(const char* op, const char* pass, std::vector<Operand> operands, Call call) {
    cases_.push_back(
        {.op = op, .pass = pass, .sizes = sizes_, .operands = std::move(operands), .run = on_pointers(call)});
    return cases_.back();
  }

  std::vector<KernelCase> take() { return std::move(cases_); }

 private:
  std::string sizes_;
  std::vector<KernelCase> cases_;
};

/// A batch of images [n, size, size, c].
struct ImageSize {
  std::int64_t n, size, c;
};

/// "64×56²×128".
std::string to_string(const ImageSize& images);

/// Matrix products, convolutions and deformable convolutions. `tiny`: at sizes that only try the code.
std::vector<KernelCase> product_cases(bool tiny);
/// All other kernels, on a batch of images.
std::vector<KernelCase> elementwise_cases(const ImageSize& images);
std::vector<KernelCase> layer_cases(const ImageSize& images);

}  // namespace deft::bench
