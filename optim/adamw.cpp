#include "deft/optim/adamw.h"

#include <utility>

namespace deft {

AdamW::AdamW(std::vector<Tensor> parameters, const AdamWOptions& options) : Adam("AdamW", true) {
  add_parameter_group(std::move(parameters), options);
}

void AdamW::add_parameter_group(std::vector<Tensor> parameters, const AdamWOptions& o) {
  Adam::add_parameter_group(std::move(parameters),
                            {.lr = o.lr, .betas = o.betas, .eps = o.eps, .weight_decay = o.weight_decay});
}

}  // namespace deft
