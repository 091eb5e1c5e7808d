#include "deft/core/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <ranges>
#include <type_traits>

#include "deft/core/autograd.h"
#include "deft/core/detail/tensor_impl.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/elementwise.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/memory.h"

namespace deft {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

std::shared_ptr<TensorImpl> make_impl(std::shared_ptr<Storage> storage, std::int64_t offset, const Shape& shape,
                                      DType dtype) {
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = std::move(storage);
  impl->offset = offset;
  impl->shape = shape;
  impl->dtype = dtype;
  impl->id = next_id();
  return impl;
}

std::size_t bytes_of(const Shape& shape, DType dtype) {
  return static_cast<std::size_t>(shape.numel()) * size_of(dtype);
}

}  // namespace

Storage::Storage(Device where, std::size_t size) : device(where), bytes(size), data(allocate(where, size)) {}
Storage::~Storage() { deallocate(device, data, bytes); }

TensorImpl& Tensor::checked() const {
  if (!impl_) throw Error("tensor: it is undefined (an absent optional tensor, or a default-constructed one)");
  return *impl_;
}

const Shape& Tensor::shape() const { return checked().shape; }
DType Tensor::dtype() const { return checked().dtype; }
Device Tensor::device() const { return checked().storage->device; }

const void* Tensor::raw_data(DType expected) const {
  const TensorImpl& impl = checked();
  if (impl.dtype != expected) {
    throw Error(fmt::format("data: dtype is {}, expected {}", to_string(impl.dtype), to_string(expected)));
  }
  return impl.data();
}

void* Tensor::raw_mutable_data(DType expected) {
  raw_data(expected);
  ++impl_->storage->version;
  return impl_->data();
}

void Tensor::require_one_element() const {
  if (numel() != 1) throw Error(fmt::format("item: shape is {}, expected one element", to_string(shape())));
}

void Tensor::copy_to_host(void* destination, DType expected) const {
  const void* source = raw_data(expected);
  copy_memory(Device::cpu(), destination, device(), source, bytes_of(shape(), dtype()));
}

Tensor Tensor::to(Device device) const {
  if (device == this->device()) return *this;
  require_device(device);
  const Device from = this->device();
  Tensor result = empty(shape(), {.dtype = dtype(), .device = device});
  copy_memory(device, result.impl_->data(), from, checked().data(), bytes_of(shape(), dtype()));
  record(
      "to", {*this}, {{"device", to_string(device)}}, {result},
      {.apply = [from](const BackwardContext& context) -> std::vector<Tensor> { return {context.grad().to(from)}; }});
  return result;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  const DType from = this->dtype();
  Tensor result = empty(shape(), {.dtype = dtype, .device = device()});
  dispatch(*this, [&]<class From>(auto place) {
    visit_dtype(dtype, [&]<class To>() { kernels::cast(place, numel(), data<From>(), result.mutable_data<To>()); });
  });
  record(
      "cast", {*this}, {{"dtype", std::string(to_string(dtype))}}, {result},
      {.apply = [from](const BackwardContext& context) -> std::vector<Tensor> { return {context.grad().to(from)}; }});
  return result;
}

Tensor Tensor::clone() const {
  Tensor result = empty_like(*this);
  copy_memory(device(), result.impl_->data(), device(), checked().data(), bytes_of(shape(), dtype()));
  record("clone", {*this}, {}, {result},
         {.apply = [](const BackwardContext& context) -> std::vector<Tensor> { return {context.grad()}; }});
  return result;
}

Tensor Tensor::detach() const { return alias(*this, shape()); }

void Tensor::require_writable(const char* op) const {
  if (requires_grad() && grad_enabled()) {
    throw Error(fmt::format("{}: the tensor requires grad; change it inside NoGrad", op));
  }
}

Tensor& Tensor::copy_(const Tensor& source) {
  require_writable("copy_");
  if (source.shape() != shape() || source.dtype() != dtype()) {
    throw Error(fmt::format("copy_: source is {} {}, expected {} {}", to_string(source.dtype()),
                            to_string(source.shape()), to_string(dtype()), to_string(shape())));
  }
  if (source.impl()->storage == impl_->storage) {
    if (source.impl()->offset == impl_->offset) return *this;
    return copy_(source.detach().clone());  // the two may overlap
  }
  ++impl_->storage->version;
  copy_memory(device(), impl_->data(), source.device(), source.checked().data(), bytes_of(shape(), dtype()));
  return *this;
}

Tensor& Tensor::fill_(double value) {
  require_writable("fill_");
  require_representable("fill_", value, dtype());
  dispatch(*this,
           [&]<class T>(auto place) { kernels::fill(place, numel(), static_cast<T>(value), mutable_data<T>()); });
  return *this;
}

Tensor alias(const Tensor& base, const Shape& shape, std::int64_t offset) {
  if (offset < 0 || offset + shape.numel() > base.numel()) {
    throw Error(fmt::format("alias: elements {} to {} of a tensor of shape {}", offset, offset + shape.numel(),
                            to_string(base.shape())));
  }
  const TensorImpl& impl = *base.impl();
  return Tensor(make_impl(impl.storage, impl.offset + offset, shape, impl.dtype));
}

Tensor empty(const Shape& shape, const TensorOptions& options) {
  auto storage = std::make_shared<Storage>(options.device, bytes_of(shape, options.dtype));
  Tensor result(make_impl(std::move(storage), 0, shape, options.dtype));
  if (options.requires_grad) result.set_requires_grad();
  return result;
}

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  Tensor result = empty(shape, {.dtype = options.dtype, .device = options.device});
  result.fill_(value);
  if (options.requires_grad) result.set_requires_grad();
  return result;
}

Tensor zeros(const Shape& shape, const TensorOptions& options) { return full(shape, 0, options); }
Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1, options); }

void require_representable(const char* op, double value, DType dtype) {
  if (is_floating(dtype)) return;
  const double low = dtype == DType::uint8 ? 0 : -0x1p63, end = dtype == DType::uint8 ? 256 : 0x1p63;
  if (!(value >= low && value < end) || value != std::trunc(value)) {
    throw Error(fmt::format("{}: {} does not fit {}", op, value, to_string(dtype)));
  }
}

namespace {

// The elements of arange().
template <class T>
std::vector<T> range(double begin, double end, double step) {
  // A long double holds every int64, a double those up to 2^53.
  using Wide = std::conditional_t<std::is_integral_v<T>, long double, double>;
  const Wide most = std::ceil((Wide{end} - begin) / step);
  if (!std::isfinite(begin) || !std::isfinite(step) || !(step != 0) || !(most < 0x1p60)) {
    throw Error(fmt::format("arange: begin {}, end {}, step {} is not a range of a finite number", begin, end, step));
  }
  for (const double bound : {begin, end}) {
    if (std::is_floating_point_v<T> && !std::isfinite(static_cast<T>(bound))) {
      throw Error(fmt::format("arange: {} does not fit {}", bound, to_string(dtype_of<T>)));
    }
  }
  const auto value = [&](std::int64_t i) { return begin + static_cast<Wide>(i) * step; };
  // The quotient may have been rounded up, and an element to the end.
  const Wide limit = std::is_integral_v<T> ? Wide{end} : static_cast<Wide>(static_cast<T>(end));
  const auto is_before_end = [&](std::int64_t i) {
    const Wide element = std::is_integral_v<T> ? value(i) : static_cast<Wide>(static_cast<T>(value(i)));
    return step > 0 ? element < limit : element > limit;
  };
  const std::ranges::iota_view positions(std::int64_t{0}, static_cast<std::int64_t>(std::max(Wide{0}, most)));
  const std::int64_t size = *std::ranges::partition_point(positions, is_before_end);
  if (size > 0) require_representable("arange", static_cast<double>(value(size - 1)), dtype_of<T>);
  std::vector<T> values(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) values[static_cast<std::size_t>(i)] = static_cast<T>(value(i));
  return values;
}

}  // namespace

Tensor arange(double begin, double end, double step, const TensorOptions& options) {
  require_representable("arange", begin, options.dtype);
  require_representable("arange", step, options.dtype == DType::uint8 ? DType::int64 : options.dtype);
  Tensor result;
  visit_dtype(options.dtype, [&]<class T>() {
    const auto values = range<T>(begin, end, step);
    result = from_vector(values, {static_cast<std::int64_t>(values.size())}, options.device);
  });
  if (options.requires_grad) result.set_requires_grad();
  return result;
}

Tensor empty_like(const Tensor& like) { return empty(like.shape(), {.dtype = like.dtype(), .device = like.device()}); }
Tensor zeros_like(const Tensor& like) { return zeros(like.shape(), {.dtype = like.dtype(), .device = like.device()}); }
Tensor ones_like(const Tensor& like) { return ones(like.shape(), {.dtype = like.dtype(), .device = like.device()}); }

template <class T>
Tensor from_vector(const std::vector<T>& values, const Shape& shape, Device device) {
  if (static_cast<std::int64_t>(values.size()) != shape.numel()) {
    throw Error(fmt::format("from_vector: {} values, expected {} for shape {}", values.size(), shape.numel(),
                            to_string(shape)));
  }
  Tensor result = empty(shape, {.dtype = dtype_of<T>, .device = device});
  copy_memory(device, result.mutable_data<T>(), Device::cpu(), values.data(), values.size() * sizeof(T));
  return result;
}

template Tensor from_vector(const std::vector<float>&, const Shape&, Device);
template Tensor from_vector(const std::vector<double>&, const Shape&, Device);
template Tensor from_vector(const std::vector<std::int64_t>&, const Shape&, Device);
template Tensor from_vector(const std::vector<std::uint8_t>&, const Shape&, Device);

}  // namespace deft
