// Where data sets lie on this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "deft/data/dataset.h"

namespace deft {

/// The folder with the files of data set `name`: "mnist", "fashionmnist", "kmnist", "emnist" ("emnist-digits" where it
/// holds several splits), "qmnist", "cifar10" or "cifar100". Looks in `explicit_folder` (a program's --data) if that is
/// not empty, and nowhere else then; otherwise in $DEFT_DATA and the user's cache, $XDG_CACHE_HOME/deft or
/// ~/.cache/deft. Each may hold the files itself or in a folder of the data set: mnist/, cifar10/,
/// cifar-10-batches-bin/, torchvision's MNIST/raw/ or FashionMNIST/raw/ and so on. Throws Error when there are none;
/// its text names all three places and offers the remedies. Data sets in MNIST's files are told apart by the names of
/// files and folders (see mnist.h); where `explicit_folder` holds another one than "mnist", or its raw/ or gzip/ does,
/// that passes for it.
std::filesystem::path locate_data(const std::string& name, const std::string& explicit_folder = "");

/// Both parts of a data set.
struct TrainTest {
  Dataset train, test;
};

/// Finds one part of data set `name` with locate_data and reads it. With `data` = "synthetic", "mnist" is drawn in code
/// instead (see synthetic_digits.h), as many samples as MNIST has. A positive `limit` leaves only the first samples, at
/// most that many. Throws Error for an unknown name, for missing and for damaged files.
Dataset load_data(const std::string& name, Part part, const std::string& data = "", std::int64_t limit = 0);

/// Both parts; `limit` holds for each.
TrainTest load_data(const std::string& name, const std::string& data = "", std::int64_t limit = 0);

}  // namespace deft
