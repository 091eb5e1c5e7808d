// Comparing gradients with finite differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

struct GradcheckOptions {
  double step = 1e-6;                ///< half the distance of the central difference
  double absolute_tolerance = 1e-6;  ///< of each element, plus …
  double relative_tolerance = 1e-5;  ///< … this share of the numerical value
};

struct GradcheckResult {
  bool ok = true;
  double worst_error = 0;  ///< |analytical − numerical| over what is allowed, at the worst element
  std::string message;     ///< names input, index, both values of the worst element

  explicit operator bool() const { return ok; }
};

/// Compares the gradients that backward() gives for `function` with central differences, for every element of every
/// input that requires grad. The output, of any shape, is multiplied with fixed random weights and summed. `function`
/// must be deterministic and smooth around the inputs. Throws Error unless those inputs and the output are float64.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace deft
