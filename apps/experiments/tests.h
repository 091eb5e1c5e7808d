// Tests of trained nets on an experiment's test images.
#pragma once

#include <vector>

#include "deft/apps/experiments/experiment.h"
#include "deft/apps/support/history.h"
#include "deft/apps/support/progress.h"
#include "deft/data/dataset.h"
#include "deft/data/loader.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// The images of `test` as epoch 0 of these batches shows them in this form, in their order. What a random form shows is
/// drawn from a seed of its own: it is the same after every epoch of every run.
DataLoader test_batches(const Dataset& test, const Transform& form, Device device);

/// Tests `model` on all images of `test` in every form. Accuracy and loss are the means, predictions those in each
/// form; accuracy per set goes into per_scale when there are several.
support::Evaluation evaluate(Module& model, const Dataset& test, const std::vector<TestSet>& sets, Device device,
                             const support::ProgressOptions& progress);

}  // namespace deft::apps
