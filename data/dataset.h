// Data sets: labelled images, whole in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// Which half of a data set that comes in two.
enum class Part { train, test };

/// "train" or "test".
const char* to_string(Part part);

/// Labelled images of one size. Every loader returns one; to use data of your own, fill one in.
struct Dataset {
  std::string name = {};                      ///< "MNIST"
  std::string source = {};                    ///< where it came from: a folder, or how it was made
  bool synthetic = false;                     ///< made by a program, not measured
  std::string note = {};                      ///< a line for the user on what a loader had to guess; mostly empty
  Tensor images = {};                         ///< uint8 [N, H, W, C], 0 is black
  Tensor labels = {};                         ///< int64 [N], each in [0, classes)
  std::vector<std::string> class_names = {};  ///< one per class

  std::int64_t size() const { return images.size(0); }
  std::int64_t height() const { return images.size(1); }
  std::int64_t width() const { return images.size(2); }
  std::int64_t channels() const { return images.size(3); }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }

  /// The data set with its images and labels on another device, where a loader then makes batches without copies.
  Dataset to(Device device) const;
};

/// Throws Error unless images and labels have the types and shapes above, are on one device, and every label names a
/// class.
void check_dataset(const Dataset& dataset);

/// CRC-32 (that of zlib and PNG) of the pixels and then of the labels as little-endian int64.
std::uint32_t checksum(const Dataset& dataset);

/// Copies of the samples with these indices, in this order. Throws Error for an index outside the data set.
Dataset subset(const Dataset& dataset, const std::vector<std::int64_t>& indices);

/// The first `count` samples, sharing their memory with `dataset`. Throws Error unless 0 <= count <= size.
Dataset first_samples(const Dataset& dataset, std::int64_t count);

/// A data set cut in two.
struct TrainValidation {
  Dataset train, validation;
};

/// Holds out round(fraction · size) samples, drawn at random by `seed`; both parts keep the order of `dataset`. Throws
/// Error unless fraction is in [0, 1].
TrainValidation split_validation(const Dataset& dataset, double fraction, std::uint64_t seed);

}  // namespace deft
