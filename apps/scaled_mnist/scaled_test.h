// The test of experiment E0: every test image at eleven scales.
#pragma once

#include <vector>

#include "deft/apps/support/history.h"
#include "deft/apps/support/progress.h"
#include "deft/data/dataset.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// The scales of the test: 0.5, 0.6, …, 1.5.
std::vector<double> test_scales();

/// Tests `model` on all images of `test` at every scale: torchvision's affine about the centre, nearest neighbour, after
/// the normalisation, so that the border is 0 and not black. Accuracy and loss are the means over all scales.
support::Evaluation evaluate_scales(Module& model, const Dataset& test, Device device,
                                    const support::ProgressOptions& progress);

}  // namespace deft::apps
