// MNIST: 28×28 grey images of handwritten digits (LeCun, Cortes, Burges), and the data sets that come in its files:
// Fashion-MNIST, KMNIST, EMNIST and QMNIST.
#pragma once

#include <filesystem>
#include <string>

#include "deft/data/dataset.h"

namespace deft {

/// The choice of load_mnist where a folder has several sets.
struct MnistOptions {
  std::string split =
      {};  ///< of EMNIST: byclass, bymerge, balanced, letters, digits or mnist; empty: the only one there
};

/// Reads 28×28 images and their labels from the official files in `folder`: train-images-idx3-ubyte,
/// train-labels-idx1-ubyte, and t10k-… for the test part; EMNIST's are called emnist-SPLIT-train-… and
/// emnist-SPLIT-test-…, QMNIST's qmnist-train-images-idx3-ubyte and qmnist-train-labels-idx2-int, whose first column
/// is the class. Each may be plain or end in .gz, have a dot for the dash before "idx", and lie in a folder of its own
/// name, as in Kaggle's archive. Any number of samples is accepted.
///
/// The data set is what its files show it to be: MNIST where the labels are those of MNIST, EMNIST and QMNIST by their
/// files' names. Otherwise the folder's name decides, or that of the folder above raw/ (torchvision's) and gzip/:
/// FashionMNIST, KMNIST, EMNIST or QMNIST, in any case, with dashes and underscores or without. Otherwise it is called
/// "IDX images", has classes "0" to "9", or to the highest label, and a `note` that says so. EMNIST's images, which are
/// transposed in its files, are put upright; torchvision leaves them as they are. Labels are torchvision's: those of
/// EMNIST's letters begin with 1.
///
/// Throws Error for a missing or damaged file: wrong magic number, size other than 28×28, length that disagrees with
/// the header, label without a class, different numbers of images and labels; and for a folder with several splits of
/// EMNIST of which `options` names none.
Dataset load_mnist(const std::filesystem::path& folder, Part part, const MnistOptions& options = {});

/// Whether `folder` has any of these files.
bool holds_mnist(const std::filesystem::path& folder);

/// Which data set the files in `folder` are by their names or the folder's: "FashionMNIST", "KMNIST", "EMNIST" or
/// "QMNIST"; empty for others and where there are none. Labels are not read.
std::string mnist_relative(const std::filesystem::path& folder);

/// The line that says what `folder` has in place of the IDX files of MNIST, or of the data set that mnist_relative calls
/// `relative` (Keras' mnist.npz, CSV files), and how to convert it; empty where there is nothing of the kind.
std::string unconverted_mnist(const std::filesystem::path& folder, const std::string& relative = "");

}  // namespace deft
