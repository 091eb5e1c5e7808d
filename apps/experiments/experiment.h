// What an experiment is: its data, its nets, how they are trained and tested, and what was published.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deft/data/transform.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// All test images in one form.
struct TestSet {
  std::string name;  ///< "0.5", "scaled"
  Transform transform;
  std::string change = " as they are";  ///< what is done to the images; continues a sentence that names them
};

/// One training of a net: with what, on which images, and what it is tested on after every epoch.
struct Training {
  std::int64_t epochs, batch_size;
  std::int64_t images;  ///< of an epoch
  double lr;
  double gamma = 1;         ///< factor of the learning rate after every epoch
  double weight_decay = 0;  ///< AdamW's; 0: Adam
  Transform transform = {};
  std::string change = " as they are";  ///< what it does to the images, as in TestSet
  std::vector<TestSet> tests = {};
};

/// One way in which an experiment shows a data set, the same in training and in tests, to a net of its own.
struct Row {
  std::string name;   ///< "mnist-rotated"
  std::string title;  ///< "MNIST rotated"
  std::string data;   ///< of load_data: "mnist" or "cifar10"
  std::string form;   ///< "plain", "rotated", "translated" or "both"
  Transform transform;
};

/// A net with the values of a state_dict().
struct RestoredNet {
  ModuleHolder net;
  std::string data;  ///< whose images it takes: "mnist" or "cifar10"
};

struct Experiment {
  std::string name;     ///< "E0"
  std::string program;  ///< that runs it: "scaled_mnist"
  std::string data;     ///< of load_data, what its nets are for: "mnist" or "cifar10"
  /// Of its nets: "regular", "deform-v1", …
  std::vector<std::string> models;
  /// A new net, initialised from the default generator; E3's for MNIST. Throws Error for a model that it lacks.
  ModuleHolder (*make_net)(const std::string& model);
  /// Throws Error for a model that it lacks and for a state that is not such a net's.
  RestoredNet (*restore_net)(const std::string& model, const NamedTensors& state);
  Transform pixels = {};  ///< how its nets take their pixels
  Training training;
  /// The second step of an experiment that goes on with a trained regular net.
  std::optional<Training> tuning = {};
  bool reports_best_epoch = false;  ///< the best epoch of a run counts; otherwise the last one
  /// What the names of its tests are ("scale") where their images are counted together; empty: each test by itself.
  std::string test_kind = {};
  std::string test_text = {};  ///< about tests that are counted together, in a sentence
  /// Which images of which final tests show best where its nets look: test, image.
  std::vector<std::pair<std::size_t, std::int64_t>> shown = {{0, 0}, {0, 1}, {0, 2}};
  std::vector<Row> rows = {};  ///< of an experiment that trains a net for each of several kinds of images

  /// A test's name with its kind: "scale 0.5", "plain".
  std::string title(const std::string& test) const { return test_kind.empty() ? test : test_kind + " " + test; }
  /// Everything that a trained net is tested on: the tests of both steps.
  std::vector<TestSet> final_tests() const;
  /// The published accuracy in percent of a model in a row of docs/results.md (apps/experiments/published.json). Throws
  /// Error where none was published.
  double published(const std::string& row, const std::string& model) const;
};

/// E0: five-conv nets on plain digits, tested at the scales 0.5, 0.6, …, 1.5 (torchvision's affine about the centre,
/// nearest neighbour, after the normalisation, so that the border is 0 and not black).
const Experiment& e0();
/// E1: three-conv nets on digits at a random place of a black canvas up to three times as large, shrunk again, in
/// training and in the test.
const Experiment& e1();
/// E2: two-conv nets on CIFAR-10.
const Experiment& e2();
/// E3: the nets and images of the geometry table: MNIST plain, rotated, translated, rotated and translated; CIFAR-10
/// plain and rotated. Rotation is uniform in ±45°, then translation in ±20 % of the side in y and in x; bilinear, black
/// outside.
const Experiment& e3();
/// E3's row that net, learning rate and epochs are chosen on: MNIST rotated and translated.
const Row& selection_row();
/// E4: four-conv nets on plain digits; then the offsets only of a deformable net that has the regular one's weights, on
/// scaled digits: shifted by up to a pixel, then zoomed out by up to 2.5 along each axis, the border replicated.
const Experiment& e4();

/// E0 to E4.
const std::vector<const Experiment*>& experiments();
/// The one of this name. Throws Error for another name.
const Experiment& experiment(const std::string& name);
/// Their names, or of those that are to be kept.
std::vector<std::string> experiment_names(const std::function<bool(const Experiment&)>& keep = {});

}  // namespace deft::apps
