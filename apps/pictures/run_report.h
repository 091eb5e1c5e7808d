// What report.html of all experiments shows besides curves and numbers, and the page of runs whose test is a single one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/support/report.h"
#include "deft/apps/support/run_directory.h"
#include "deft/data/transform.h"

namespace deft::apps {

/// A test image in one of the forms that it was tested in.
struct ShownImage {
  const support::ReportedImages& form;
  std::int64_t index = 0;
  std::string name = {};  ///< "test image 0 of MNIST, scale 0.5"
};

/// What a run was trained with.
struct TrainingImages {
  std::string text;     ///< the first of them, and what is done to them, in a sentence
  std::string data;     ///< of load_data, from where the test images come: "mnist" or "cifar10"
  Transform transform;  ///< with the seed that the weights file names
};

/// Sections of pictures: where a deformable net samples these images (the middle cell of the last layer, traced down to
/// each of them, and all layers on the first), which of their pixels the middle of its last feature map depends on, and
/// the first training images in the first epochs. Equal runs give equal bytes. None in
/// a build that cannot draw, and without images. Throws Error where the training images are not beside those of the
/// test.
std::vector<support::ReportedPictures> report_pictures(const TrainedNet& trained, Device device,
                                                       const std::vector<ShownImage>& images,
                                                       const TrainingImages& training);

/// The test of a run's last weights.
struct LastWeightsTest {
  std::string images;            ///< what they are: "MNIST rotated"
  std::string also_in;           ///< where its result stands besides: "`cifar10 test`"
  support::ReportedImages form;  ///< all test images
};

/// Writes the report of a run whose net has one test, with pictures of the first images.
void write_last_weights_report(const support::RunDirectory& run, const TrainedNet& trained, Device device,
                               const LastWeightsTest& test, const TrainingImages& training);

}  // namespace deft::apps
