// Data sets of a few images, in the official files.
#pragma once

#include <filesystem>

#include "deft/kernels/runtime/philox.h"

#include "data/files.h"

/// CIFAR-10's binary version: 40 random records in front of each file, black airplanes after them, which take no room on
/// the disk.
inline void write_few_cifar10(const std::filesystem::path& folder) {
  deft::PhiloxSequence random(1, 2);
  Bytes start;
  for (int i = 0; i < 40; ++i) {
    start.push_back(static_cast<std::uint8_t>(i % 10));
    for (int value = 0; value < 3072; ++value) start.push_back(static_cast<std::uint8_t>(random.below(256)));
  }
  for (const char* name :
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
    const std::filesystem::path path = folder / (name + std::string(".bin"));
    write_bytes(path, start);
    std::filesystem::resize_file(path, 30730000);
  }
}

/// MNIST's training images (`part` "train") or test images ("t10k"), 40 of them.
inline void write_few_mnist(const std::filesystem::path& folder, const std::string& part) {
  write_bytes(folder / (part + "-images-idx3-ubyte"), idx({40, 28, 28}));
  write_bytes(folder / (part + "-labels-idx1-ubyte"), idx({40}, 10));
}
