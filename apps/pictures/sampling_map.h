// Where the deformable convolutions of a net look: the taps of their kernels as positions on the net's input image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/core/trace.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// A place in a feature map or an image, in its pixels: (0, 0) is the centre of the first one.
struct Position {
  double y = 0, x = 0;
};

/// A layer that reads windows of its input, as it ran.
struct WindowLayer {
  std::string name;                    ///< path of the module ("conv5")
  std::int64_t height = 0, width = 0;  ///< of the output
  SamplingGeometry geometry = {};
  /// Of a deformable convolution: (dy, dx) of tap t at cell (y, x) are the elements 2t and 2t + 1 of row y · width + x.
  std::vector<double> offsets = {};
  std::vector<double> masks = {};  ///< the same with one element per tap; empty: all ones (v1)
  std::int64_t taps = 0;           ///< offset groups · kernel size; 0 for other layers

  bool deformable() const { return taps > 0; }
  /// Where in the input the window of an output position has its middle.
  Position middle(const Position& output) const;
  /// Where tap t would read the input without its offset.
  Position regular(const Position& output, std::int64_t tap) const;
  /// The offset of tap t; between cells, bilinear, and the nearest cell's beyond the border.
  Position offset(const Position& output, std::int64_t tap) const;
  /// Its mask in the same way.
  double mask(const Position& output, std::int64_t tap) const;
};

/// A position on the image where a tap reads.
struct SamplingPoint {
  Position at;
  double mask = 1;  ///< product of the masks on the way
};

/// One tap of one output cell, on the image.
struct Tap {
  Position regular;   ///< without its offset
  Position sampled;   ///< with it
  double length = 0;  ///< of the offset, in pixels of the image
  double mask = 1;
};

/// The layers through which a net's last deformable convolution sees the image, in one pass over one image.
class SamplingMap {
 public:
  /// Runs `net` in evaluation mode on `image`, [1, H, W, C], pixels as the net takes them. Throws Error for another
  /// number of images, for a net without deformable convolutions, and for one in which an operation that is neither
  /// convolution nor pooling changes height or width below the last of them.
  SamplingMap(Module& net, const Tensor& image);

  /// What the net said: its output, on the CPU.
  const Tensor& output() const { return output_; }

  /// Names of the deformable convolutions, from the image upwards.
  std::vector<std::string> names() const;
  /// A deformable convolution by its name. Throws Error for another name.
  const WindowLayer& layer(const std::string& name) const { return layers_[index(name)]; }

  /// Where an output cell of a deformable convolution lies on the image if no tap had an offset.
  Position on_image(const std::string& name, const Position& cell) const;
  /// The positions on the image that an output cell of the layer sees: it has kernel-size taps, each of which reads a
  /// cell of the deformable layer below, with taps of its own, down to the image. Layers between only change position
  /// and scale. Taps that read nothing but padding of a layer above the image end there. Without `offsets`, the same
  /// for ordinary convolutions in the places of the deformable ones.
  std::vector<SamplingPoint> trace(const std::string& name, const Position& cell, bool offsets = true) const;
  /// All taps of all output cells of one deformable convolution, the layers below taken as ordinary ones.
  std::vector<Tap> taps(const std::string& name) const;

 private:
  std::size_t index(const std::string& name) const;
  /// From the input of layer `index` to the image, through the middles of windows.
  Position descend(std::size_t index, Position position) const;

  std::vector<WindowLayer> layers_;  // from the image upwards, the last one deformable
  Tensor output_;
};

}  // namespace deft::apps
