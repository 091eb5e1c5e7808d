// Printable summaries of models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/layers/module.h"

namespace deft {

/// One operation of a model.
struct SummaryRow {
  std::string module;  ///< path of the module that ran it
  std::string op;
  Shape output;
  std::int64_t parameters = 0;     ///< values of the parameters it read that no row above has counted
  std::int64_t multiply_adds = 0;  ///< of matrix products and convolutions; interpolation and the rest count nothing
};

/// The operations of a model in the order in which they run.
struct ModelSummary {
  std::vector<SummaryRow> rows;
  std::int64_t parameters = 0;            ///< all of the model's, used or not
  std::int64_t trainable_parameters = 0;  ///< those that require grad
  std::int64_t multiply_adds = 0;
};

/// Runs `module` once on `input`, in evaluation mode and without gradients, and lists what it did.
ModelSummary summarize(Module& module, const Tensor& input);

/// A table with a line per operation and the totals below.
std::string to_string(const ModelSummary& summary);

}  // namespace deft
