// report.html: a training run on one page, which needs no other file and no JavaScript.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/support/predictions.h"
#include "deft/apps/support/run_directory.h"
#include "deft/data/loader.h"

namespace deft::support {

/// Test images in one form, and what a trained net said of them.
struct ReportedImages {
  std::string name;         ///< of the form: "0.5"
  DataLoader images;        ///< epoch 0 is as the net saw them
  Predictions predictions;  ///< in that order

  /// One of them as the net saw it: float32 [1, H, W, C].
  Tensor image(std::int64_t index) const;
};

/// Images that are counted together, in a section of their own.
struct ReportedTest {
  std::string title;                  ///< "Test at eleven scales"
  std::string text;                   ///< which images and which weights, in a sentence or two
  std::string kind = {};              ///< what the names of the forms are ("scale"), where there are several
  std::vector<ReportedImages> forms;  ///< all of the same data set
};

/// A picture, which says itself what it shows.
struct ReportedPicture {
  std::string text;  ///< the same for readers who do not see it
  std::string png;   ///< the file's bytes
  double width;      ///< on the page, in its pixels
};

/// Pictures in a section of their own.
struct ReportedPictures {
  std::string title, text;
  std::vector<ReportedPicture> pictures;
};

/// The page, from what the run's folder holds (config.json, summary.json and the checkpoint's history) and from these
/// tests and pictures. In a build that cannot draw it has no charts and images, and says so. Equal contents give equal
/// bytes. Throws Error that names the folder or file where one of the three is missing or damaged.
std::string report_html(const RunDirectory& run, const std::vector<ReportedTest>& tests,
                        const std::vector<ReportedPictures>& pictures = {});

}  // namespace deft::support
