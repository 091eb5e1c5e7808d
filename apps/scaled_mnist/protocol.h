// How the experiments on MNIST show their images to a net, in training and in tests.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/support/history.h"
#include "deft/apps/support/progress.h"
#include "deft/data/dataset.h"
#include "deft/data/loader.h"
#include "deft/data/transform.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// All test images in one form.
struct TestSet {
  std::string name;  ///< "0.5", "scaled"
  Transform transform;
};

/// What an experiment trains on and what it is tested on.
struct Protocol {
  Transform training;
  std::vector<TestSet> tests;
};

/// The experiments on MNIST that this program runs: "E0", "E1" and "E4".
const std::vector<std::string>& mnist_experiments();

/// E0: plain images, tested at the scales 0.5, 0.6, …, 1.5 (torchvision's affine about the centre, nearest neighbour,
/// after the normalisation, so that the border is 0 and not black). E1: images on a random place of a black canvas up
/// to three times as large, shrunk again, in training and in the test. E3: images rotated and translated in training,
/// tested plain, rotated, translated and both (apps/geometry/cells.h). E4: plain images; `tuning` its second step, in
/// which all are scaled: shifted by up to a pixel, then zoomed out by up to 2.5 along each axis, the border replicated.
///
/// What a random test set shows is drawn once, from a seed of its own: it is the same after every epoch of every run.
Protocol protocol(const std::string& experiment, bool tuning = false);

/// Everything that a trained net of the experiment is tested on: E4's plain and scaled images, else the same as above.
std::vector<TestSet> final_tests(const std::string& experiment);

/// The images of `test` as epoch 0 of these batches shows them in this form, in their order.
DataLoader test_batches(const Dataset& test, const TestSet& set, Device device);

/// Tests `model` on all images of `test` in every form. Accuracy and loss are the means, predictions those in each
/// form; accuracy per set goes into per_scale when there are several.
support::Evaluation evaluate(Module& model, const Dataset& test, const std::vector<TestSet>& sets, Device device,
                             const support::ProgressOptions& progress);

}  // namespace deft::apps
