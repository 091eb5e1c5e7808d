#include "deft/apps/pictures/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "deft/apps/pictures/image_grid.h"
#include "deft/apps/pictures/receptive_field_picture.h"
#include "deft/apps/pictures/sampling_points.h"
#include "deft/core/file.h"
#include "deft/data/locate.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

// A phone shows these fields and grids about as large as they are.
constexpr double field_size = 280;
constexpr std::int64_t shown_images = 3, grid_rows = 5, grid_columns = 5, grid_forms = 4;

support::ReportedPicture picture(const support::Canvas& canvas, double resolution, std::string text) {
  return {.text = std::move(text), .png = canvas.png(resolution), .width = canvas.width()};
}

support::ReportedPicture sampling_picture(const TrainedNet& trained, Device device, const ShownImage& shown,
                                          SamplingView view) {
  const DataLoader& images = shown.form.images;
  const support::Canvas canvas =
      draw_sampling_points(*trained.net, shown.form.image(shown.index).to(device), images.options().transform,
                           {.subject = shown.name,
                            .label = shown.form.predictions.labels.at(static_cast<std::size_t>(shown.index)),
                            .class_names = images.dataset().class_names,
                            .net = trained.experiment->name + ", " + trained.model,
                            .view = view});
  const char* what =
      view == SamplingView::traced ? "Sampling points, traced from one cell" : "The longest offsets of each layer";
  return picture(canvas, 1.5, fmt::format("{}: {}", what, shown.name));
}

support::ReportedPictures sampling_section(const TrainedNet& trained, Device device,
                                           const std::vector<ShownImage>& images) {
  support::ReportedPictures section{
      .title = "Where the net looks",
      .text =
          "The points at which the deformable convolutions read the image: what the middle cell of the last one sees, "
          "traced down to the pixels, and the longest offsets of each of them, in all cells.",
      .pictures = {}};
  for (const ShownImage& image : images) {
    section.pictures.push_back(sampling_picture(trained, device, image, SamplingView::traced));
  }
  section.pictures.push_back(sampling_picture(trained, device, images[0], SamplingView::layers));
  return section;
}

// On the CPU, where a gradient is the same to the bit every time.
support::ReportedPictures field_section(const TrainedNet& trained, Device device,
                                        const std::vector<ShownImage>& images) {
  support::ReportedPictures section{
      .title = "Receptive fields",
      .text =
          "The pixels on which the middle cell of the last feature map depends. Dots stand where the gradient of the "
          "sum of its channels is above 1/255 of its largest value, larger ones for larger gradients.",
      .pictures = {}};
  trained.net->to(Device::cpu());
  for (const ShownImage& shown : images) {
    const Tensor image = shown.form.image(shown.index).to(Device::cpu());
    const ReceptiveField field = receptive_field(*trained.net, image);
    const support::Canvas canvas =
        draw_receptive_fields(image_bytes(image, shown.form.images.options().transform),
                              {.fields = {{shown.name, field}}, .image_size = field_size, .legend = false});
    section.pictures.push_back(
        picture(canvas, 1.5,
                fmt::format("Receptive field: {}, {} of {} pixels", shown.name, field.count(), field.marked.size())));
  }
  trained.net->to(device);
  return section;
}

std::uint64_t seed_of(const TrainedNet& trained) {
  const auto found = trained.about.find("seed");
  const std::string text = found == trained.about.end() ? "" : found->second;
  std::int64_t seed = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc() && stop == text.data() + text.size()) return static_cast<std::uint64_t>(seed);
  throw Error(fmt::format("{}: seed is '{}', expected an integer", trained.path, text));
}

support::ReportedPictures training_section(const TrainedNet& trained, const TrainingImages& training,
                                           const Dataset& test) {
  const std::string folder = test.synthetic ? "synthetic" : test.source;
  // Not more than are tested, lest a run of a few images did not have them.
  const Dataset set = load_data(training.data, Part::train, folder, std::min(grid_rows * grid_columns, test.size()));
  const std::vector<ImageForm> forms = training_forms(training.transform, seed_of(trained), grid_forms);
  const support::Canvas canvas = draw_images(
      set, {.forms = forms, .rows = grid_rows, .columns = grid_columns, .size = 2 * static_cast<double>(set.width())});
  const char* const columns = forms.size() > 1 ? " On the left as they are, then as the first epochs show them." : "";
  return {.title = "Training images",
          .text = training.text + columns,
          .pictures = {picture(canvas, 2, "Training images of " + set.name)}};
}

}  // namespace

std::vector<support::ReportedPictures> report_pictures(const TrainedNet& trained, Device device,
                                                       const std::vector<ShownImage>& images,
                                                       const TrainingImages& training) {
  if (!support::can_draw() || images.empty()) return {};
  std::vector<support::ReportedPictures> sections;
  if (trained.model != "regular") sections.push_back(sampling_section(trained, device, images));
  sections.push_back(field_section(trained, device, images));
  sections.push_back(training_section(trained, training, images[0].form.images.dataset()));
  return sections;
}

void write_last_weights_report(const support::RunDirectory& run, const TrainedNet& trained, Device device,
                               const LastWeightsTest& test, const TrainingImages& training) {
  const std::int64_t count = test.form.predictions.size();
  const support::ReportedTest reported{
      .title = "Test on " + test.images,
      .text = fmt::format("The {} test images. The weights are those of the last epoch (last.safetensors), as in {}.",
                          count, test.also_in),
      .forms = {test.form}};
  std::vector<ShownImage> shown;
  for (std::int64_t i = 0; i < std::min(shown_images, count); ++i) {
    shown.push_back({test.form, i, fmt::format("test image {} of {}", i, test.images)});
  }
  write_file(run.report(), support::report_html(run, {reported}, report_pictures(trained, device, shown, training)));
}

}  // namespace deft::apps
