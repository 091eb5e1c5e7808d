#include "deft/apps/pictures/sampling_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "deft/core/autograd.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

WindowLayer window_layer(const TracedOp& op, const Trace& trace) {
  const SamplingGeometry& geometry = *op.info.sampling;
  const Shape& output = op.outputs.at(0).shape;
  WindowLayer layer{.name = op.module, .height = output[1], .width = output[2], .geometry = geometry};
  if (geometry.offset_input) {
    const Tensor& offset = trace.tensor(op.inputs.at(*geometry.offset_input));
    layer.offsets = offset.to(DType::float64).to_vector<double>();
    layer.taps = offset.size(3) / 2;
  }
  if (geometry.mask_input) {
    layer.masks = trace.tensor(op.inputs.at(*geometry.mask_input)).to(DType::float64).to_vector<double>();
  }
  return layer;
}

bool keeps_size(const TracedOp& op) {
  const Shape &from = op.inputs.at(0).shape, &to = op.outputs.at(0).shape;
  return from.dim() == 4 && to.dim() == 4 && from[1] == to[1] && from[2] == to[2];
}

// The layers between the image and the last deformable convolution, from there downwards.
std::vector<WindowLayer> layers_below(const Trace& trace, const Tensor& image) {
  std::unordered_map<std::uint64_t, const TracedOp*> maker;
  const TracedOp* op = nullptr;
  for (const TracedOp& one : trace.ops()) {
    for (const TracedTensor& output : one.outputs) maker[output.id] = &one;
    if (one.info.sampling && one.info.sampling->offset_input) op = &one;
  }
  if (op == nullptr) throw Error("the net has no deformable convolution, whose sampling points could be shown");
  std::vector<WindowLayer> layers;
  for (;; op = maker.at(op->inputs[0].id)) {
    if (op->info.sampling) {
      layers.push_back(window_layer(*op, trace));
    } else if (!keeps_size(*op)) {
      throw Error(fmt::format("cannot follow positions through {} (module {}), which makes {} of {}", op->op,
                              op->module, to_string(op->outputs.at(0).shape), to_string(op->inputs.at(0).shape)));
    }
    if (op->inputs[0].id == tensor_id(image)) return layers;
    if (maker.count(op->inputs[0].id) == 0) {
      throw Error(fmt::format("the input of {} (module {}) does not come from the image", op->op, op->module));
    }
  }
}

// Element `which` of `count` per cell of the layer's output.
double interpolate(const WindowLayer& layer, const std::vector<double>& values, const Position& output,
                   std::int64_t which, std::int64_t count) {
  const double y = std::clamp(output.y, 0.0, static_cast<double>(layer.height - 1));
  const double x = std::clamp(output.x, 0.0, static_cast<double>(layer.width - 1));
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const double down = y - static_cast<double>(top), right = x - static_cast<double>(left);
  double sum = 0;
  const auto add = [&](std::int64_t cell_y, std::int64_t cell_x, double weight) {
    if (weight == 0) return;  // there may be no such cell
    sum += weight * values[static_cast<std::size_t>((cell_y * layer.width + cell_x) * count + which)];
  };
  add(top, left, (1 - down) * (1 - right));
  add(top, left + 1, (1 - down) * right);
  add(top + 1, left, down * (1 - right));
  add(top + 1, left + 1, down * right);
  return sum;
}

}  // namespace

Position WindowLayer::middle(const Position& output) const {
  const auto along = [](double at, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t kernel) {
    return at * static_cast<double>(stride) - static_cast<double>(pad) +
           static_cast<double>(dilation * (kernel - 1)) / 2;
  };
  const SamplingGeometry& g = geometry;
  return {along(output.y, g.stride_h, g.pad_top, g.dilation_h, g.kernel_h),
          along(output.x, g.stride_w, g.pad_left, g.dilation_w, g.kernel_w)};
}

Position WindowLayer::regular(const Position& output, std::int64_t tap) const {
  const SamplingGeometry& g = geometry;
  const std::int64_t in_kernel =
      tap % (g.kernel_h * g.kernel_w);  // the sets of all offset groups lie one after another
  const auto along = [](double at, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t index) {
    return at * static_cast<double>(stride) + static_cast<double>(index * dilation - pad);
  };
  return {along(output.y, g.stride_h, g.pad_top, g.dilation_h, in_kernel / g.kernel_w),
          along(output.x, g.stride_w, g.pad_left, g.dilation_w, in_kernel % g.kernel_w)};
}

Position WindowLayer::offset(const Position& output, std::int64_t tap) const {
  const auto sample = [&](std::int64_t which) {
    return interpolate(*this, offsets, output, 2 * tap + which, 2 * taps);
  };
  return {sample(0), sample(1)};
}

double WindowLayer::mask(const Position& output, std::int64_t tap) const {
  return masks.empty() ? 1 : interpolate(*this, masks, output, tap, taps);
}

SamplingMap::SamplingMap(Module& net, const Tensor& image) {
  if (image.dim() != 4 || image.size(0) != 1) {
    throw Error(fmt::format("sampling points: image is {}, expected [1, H, W, C]", to_string(image.shape())));
  }
  const NoGrad no_grad;
  const EvalScope evaluating(net);
  const Trace trace({.keep_tensors = true});
  const Tensor output = net(image);
  const TracePause done;  // what follows is no part of the net
  output_ = output.to(Device::cpu());
  layers_ = layers_below(trace, image);
  std::reverse(layers_.begin(), layers_.end());
}

std::vector<std::string> SamplingMap::names() const {
  std::vector<std::string> names;
  for (const WindowLayer& layer : layers_) {
    if (layer.deformable()) names.push_back(layer.name);
  }
  return names;
}

std::size_t SamplingMap::index(const std::string& name) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].deformable() && layers_[i].name == name) return i;
  }
  throw Error(fmt::format("the net has no deformable layer '{}', it has {}", name, fmt::join(names(), ", ")));
}

Position SamplingMap::descend(std::size_t index, Position position) const {
  while (index-- > 0) position = layers_[index].middle(position);
  return position;
}

Position SamplingMap::on_image(const std::string& name, const Position& cell) const {
  const std::size_t at = index(name);
  return descend(at, layers_[at].middle(cell));
}

std::vector<SamplingPoint> SamplingMap::trace(const std::string& name, const Position& cell, bool offsets) const {
  std::vector<SamplingPoint> points = {{cell}};
  for (std::size_t i = index(name) + 1; i-- > 0;) {
    const WindowLayer& layer = layers_[i];
    std::vector<SamplingPoint> below;
    for (const auto& [at, mask] : points) {
      const bool inside =
          at.y > -1 && at.x > -1 && at.y < static_cast<double>(layer.height) && at.x < static_cast<double>(layer.width);
      if (!inside) continue;  // nor is a position that is no number
      if (!layer.deformable()) below.push_back({layer.middle(at), mask});
      for (std::int64_t tap = 0; tap < layer.taps; ++tap) {
        const Position regular = layer.regular(at, tap), offset = offsets ? layer.offset(at, tap) : Position();
        below.push_back({{regular.y + offset.y, regular.x + offset.x}, mask * layer.mask(at, tap)});
      }
    }
    points = std::move(below);
  }
  return points;
}

std::vector<Tap> SamplingMap::taps(const std::string& name) const {
  const std::size_t at = index(name);
  const WindowLayer& layer = layers_[at];
  std::vector<Tap> taps;
  for (std::int64_t cell = 0; cell < layer.height * layer.width; ++cell) {
    const Position output{static_cast<double>(cell / layer.width), static_cast<double>(cell % layer.width)};
    for (std::int64_t tap = 0; tap < layer.taps; ++tap) {
      const Position regular = layer.regular(output, tap), offset = layer.offset(output, tap);
      const Position from = descend(at, regular), to = descend(at, {regular.y + offset.y, regular.x + offset.x});
      taps.push_back({from, to, std::hypot(to.y - from.y, to.x - from.x), layer.mask(output, tap)});
    }
  }
  return taps;
}

}  // namespace deft::apps
