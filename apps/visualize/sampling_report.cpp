#include "deft/apps/visualize/sampling_report.h"

#include <fmt/format.h>

#include "deft/apps/visualize/sampling_points.h"
#include "deft/data/transform.h"

namespace deft::apps {

namespace {

support::ReportedPicture sampling_picture(Module& net, const std::string& name, Device device,
                                          const SampledImage& subject, SamplingView view) {
  const DataLoader& images = subject.form.images;
  const Transform& transform = images.options().transform;
  const Tensor image =
      transform_images(images.dataset().images, transform, {subject.index}, images.options().seed).to(device);
  const support::Canvas canvas =
      draw_sampling_points(net, image, transform,
                           {.subject = subject.name,
                            .label = subject.form.predictions.labels.at(static_cast<std::size_t>(subject.index)),
                            .class_names = images.dataset().class_names,
                            .net = name,
                            .view = view});
  const char* what =
      view == SamplingView::traced ? "Sampling points, traced from one cell" : "The longest offsets of each layer";
  return {.text = fmt::format("{}: {}", what, subject.name), .png = canvas.png(1.5), .width = canvas.width()};
}

}  // namespace

std::vector<support::ReportedPictures> sampling_report(Module& net, const std::string& name, Device device,
                                                       const std::vector<SampledImage>& images) {
  if (!support::can_draw() || images.empty()) return {};
  support::ReportedPictures section{
      .title = "Where the net looks",
      .text =
          "The points at which the deformable convolutions read the image: what the middle cell of the last one sees, "
          "traced down to the pixels, and the longest offsets of each of them, in all cells.",
      .pictures = {}};
  for (const SampledImage& image : images) {
    section.pictures.push_back(sampling_picture(net, name, device, image, SamplingView::traced));
  }
  section.pictures.push_back(sampling_picture(net, name, device, images[0], SamplingView::layers));
  return {section};
}

}  // namespace deft::apps
