#include <fmt/format.h>

#include <algorithm>

#include "deft/apps/nets/nets.h"
#include "deft/apps/scaled_mnist/protocol.h"
#include "deft/apps/support/picture_file.h"
#include "deft/apps/visualize/commands.h"
#include "deft/apps/visualize/panel.h"
#include "deft/apps/visualize/subject.h"
#include "deft/data/locate.h"
#include "deft/kernels/error.h"

namespace deft::apps {

namespace {

using support::Canvas;

constexpr double gap = 10, label_width = 90, header_height = 60, title_height = 24, title_width = 520;

struct DatasetSettings {
  std::string experiment = "E0", part = "test", data, out = "dataset.png";
  std::int64_t rows = 6, columns = 12, index = 0, seed = 1, size = 84;
};

// How a run shows an image to the net.
struct Form {
  std::string title;
  Transform transform;
  std::uint64_t seed = 0, epoch = 0;

  Tensor image(const Dataset& set, std::int64_t index) const {
    return image_bytes(transform_images(set.images, transform, {index}, seed, epoch), transform);
  }
};

// E4's are those of its second step; in its first, images are as they are.
Protocol images_of(const std::string& experiment) {
  if (net_data(experiment) == "mnist") return protocol(experiment, true);
  return {net_pixels(experiment), {{"plain", net_pixels(experiment)}}};
}

// A test shows an image in the forms that it has, training in another one every epoch.
std::vector<Form> forms_of(const DatasetSettings& settings) {
  const Protocol images = images_of(settings.experiment);
  std::vector<Form> forms;
  if (settings.part == "test") {
    for (const TestSet& set : images.tests)
      forms.push_back({settings.experiment == "E0" ? "scale " + set.name : set.name, set.transform});
  } else {
    if (images.training.steps.empty()) return {{"plain", images.training}};
    for (std::int64_t epoch = 1; epoch < settings.columns; ++epoch) {
      forms.push_back({fmt::format("epoch {}", epoch), images.training, static_cast<std::uint64_t>(settings.seed),
                       static_cast<std::uint64_t>(epoch)});
    }
  }
  return forms;
}

struct Tile {
  Tensor bytes;
  std::string title;  // above it
};

struct GridRow {
  std::string label;  // left of it
  std::vector<Tile> tiles;

  double title_room() const { return tiles[0].title.empty() ? 0 : title_height; }
};

// Where there are several forms, a row per image: as it is, then the forms. Else just images.
std::vector<GridRow> rows_of(const DatasetSettings& settings, const std::vector<Form>& forms, const Dataset& set) {
  const Form plain{"as it is", net_pixels(settings.experiment)};
  const auto label = [&](std::int64_t index) {
    return set.class_names[static_cast<std::size_t>(set.labels.data<std::int64_t>()[index])];
  };
  std::vector<GridRow> rows;
  std::int64_t index = settings.index;
  const std::int64_t end = set.size();
  for (std::int64_t i = 0; i < settings.rows && index < end; ++i) {
    GridRow row;
    if (forms.size() == 1) {
      for (std::int64_t j = 0; j < settings.columns && index < end; ++j, ++index) {
        row.tiles.push_back({forms[0].image(set, index), label(index)});
      }
    } else {
      row.label = label(index);
      if (!forms[0].transform.steps.empty()) row.tiles.push_back({plain.image(set, index), i == 0 ? plain.title : ""});
      for (const Form& form : forms) row.tiles.push_back({form.image(set, index), i == 0 ? form.title : ""});
      ++index;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Canvas draw(const std::string& title, const std::vector<GridRow>& rows, double size) {
  const double left = rows[0].label.empty() ? gap : label_width;
  double height = header_height;
  for (const GridRow& row : rows) height += row.title_room() + size + gap;
  Canvas canvas(std::max(title_width, left + static_cast<double>(rows[0].tiles.size()) * (size + gap)), height);
  canvas.text({gap, header_height / 2}, title, {.size = 20, .bold = true});
  double y = header_height;
  for (const GridRow& row : rows) {
    y += row.title_room();
    canvas.text({left - gap, y + size / 2}, row.label, {.size = 18, .align = support::Align::right});
    double x = left;
    for (const Tile& tile : row.tiles) {
      canvas.text({x + size / 2, y - title_height / 2}, tile.title, {.size = 14, .align = support::Align::center});
      canvas.image(tile.bytes, {x, y, size, size});
      x += size + gap;
    }
    y += size + gap;
  }
  return canvas;
}

int dataset(const DatasetSettings& settings) {
  support::require_ending("--out", settings.out, support::picture_endings());
  require_at_most("--size", settings.size, 256);
  require_at_most("--index", settings.index, most_images);
  require_at_most("--rows", settings.rows, 100);
  require_at_most("--columns", settings.columns, 100);
  const bool test = settings.part == "test";
  const Dataset set = load_data(net_data(settings.experiment), test ? Part::test : Part::train, settings.data,
                                settings.index + settings.rows * settings.columns);
  if (settings.index >= set.size()) {
    throw Error(fmt::format("--index is {}, expected 0 to {}", settings.index, set.size() - 1));
  }
  const std::vector<Form> forms = forms_of(settings);
  const std::string title = fmt::format("{}: {} images of {}{}", settings.experiment, test ? "test" : "training",
                                        set.name, forms.size() == 1 ? ", " + forms[0].title : "");
  support::write_picture(settings.out, draw(title, rows_of(settings, forms, set), static_cast<double>(settings.size)));
  fmt::print("{}\n", settings.out);
  return 0;
}

}  // namespace

support::Command dataset_command() {
  const auto settings = std::make_shared<DatasetSettings>();
  support::Command command{.name = "dataset", .summary = "Draw what an experiment's nets are shown"};
  command.settings.add("experiment", settings->experiment, "whose images; E4's are those of its second step",
                       net_experiments());
  command.settings.add("part", settings->part, "training or test images", {"train", "test"});
  command.settings.add("rows", settings->rows, "of pictures", 1);
  command.settings.add("columns", settings->columns, "of pictures, where the test's scales do not say how many", 2);
  command.settings.add("index", settings->index, "the first image, from 0");
  command.settings.add("seed", settings->seed, "of the training run whose images these are");
  command.settings.add("data", settings->data, "folder with the data set, or synthetic digits");
  command.settings.add("out", settings->out, "file to write: .png or .svg");
  command.settings.add("size", settings->size, "side of an image", 28);
  command.run = [settings] { return dataset(*settings); };
  return command;
}

}  // namespace deft::apps
