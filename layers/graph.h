// Drawings of models.
#pragma once

#include <string>

#include "deft/layers/module.h"

namespace deft {

/// The operations that `module` runs on `input`, in evaluation mode and without gradients, as a drawing in Graphviz's
/// DOT language (https://graphviz.org/doc/info/lang.html): an ellipse per operation inside boxes of its modules, a
/// rectangle with its shape for the input, the output and each parameter and buffer, arrows with shapes. `dot -Tsvg` draws it.
std::string graph_dot(Module& module, const Tensor& input);

}  // namespace deft
