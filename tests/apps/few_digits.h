// scaled_mnist as users run it, on a few synthetic digits.
#pragma once

#include <string>

#include "catch.h"
#include "program.h"
#include "temporary_directory.h"
#include "test_device.h"

inline const std::string device = to_string(deft::testing::test_device());
inline const std::string on_device = " --device " + device;
// Three steps; fewer images on a GPU, which may be an emulated one.
inline const int batch_size = device == "cpu" ? 32 : 8;
inline const std::string limit = " --limit " + std::to_string(3 * batch_size);
inline const std::string tiny =
    "train --data synthetic --no-progress --batch-size " + std::to_string(batch_size) + limit + on_device;

/// Trains with these arguments besides; returns the folder of the run.
inline std::string train(const TemporaryDirectory& directory, const std::string& name, const std::string& arguments) {
  const std::string out = directory.path(name);
  const ProgramResult result = scaled_mnist(tiny + " --out " + out + " " + arguments);
  INFO(result.output);
  REQUIRE(result.status == 0);
  return out;
}

/// The program must end with this line alone.
inline void check_error(const std::string& arguments, const std::string& error) {
  const ProgramResult result = scaled_mnist(arguments);
  CHECK(result.status == 1);
  CHECK(result.output == "scaled_mnist: " + error + "\n");
}
