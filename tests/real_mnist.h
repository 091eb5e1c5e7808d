// MNIST for the tests that want the real one.
#pragma once

#include <optional>

#include "deft/data/locate.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"

/// MNIST where this machine has it; otherwise skips the test and returns nothing. Damaged files throw Error.
inline std::optional<deft::TrainTest> real_mnist() {
  try {
    deft::locate_data("mnist");
  } catch (const deft::Error& error) {
    deft::testing::skip(error.what());
    return std::nullopt;
  }
  return deft::load_data("mnist");
}
