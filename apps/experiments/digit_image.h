// Image files as MNIST has its digits.
#pragma once

#include <string>

#include "deft/core/tensor.h"

namespace deft::apps {

/// Whether the digit in an image file is darker than what is around it.
enum class Ink { automatic, light, dark };

/// Reads an image file of one digit and makes it what MNIST's are: uint8 [28, 28, 1], white on black, 20 pixels on the
/// longer side, with its centre of mass in the middle. An image of 28×28 pixels keeps its place and size. Throws Error for
/// files that are no images and images without contrast.
Tensor load_digit(const std::string& path, Ink ink = Ink::automatic);

}  // namespace deft::apps
