// Sampling points in report.html.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/support/report.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// A test image in one of the forms that it was tested in.
struct SampledImage {
  const support::ReportedImages& form;
  std::int64_t index = 0;
  std::string name = {};  ///< "test image 0 of MNIST, scale 0.5"
};

/// The section that shows where a net with deformable convolutions looks: the middle cell of the last one, traced down to
/// each of these images, and all layers on the first of them. `name` is the net's. Empty in a build that cannot draw.
std::vector<support::ReportedPictures> sampling_report(Module& net, const std::string& name, Device device,
                                                       const std::vector<SampledImage>& images);

}  // namespace deft::apps
