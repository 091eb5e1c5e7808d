#include "deft/apps/bench/data.h"

#include <fmt/format.h>

#include <memory>

#include "deft/apps/bench/report.h"
#include "deft/apps/support/load_data.h"
#include "deft/data/loader.h"
#include "deft/kernels/runtime/error.h"

namespace deft::bench {

namespace {

struct DataSettings {
  std::string data;
  std::int64_t batch_size = 64, workers = 1, limit = 0;
  CommonSettings common{.seconds = 1};
};

constexpr std::int64_t most_workers = 1024;

struct Augmentation {
  const char *name, *what;
  std::vector<AffineStep> steps;
};

std::string to_string(const Augmentation& augmentation) { return augmentation.name; }

std::vector<Augmentation> augmentations() {
  return {{"plain", "none", {}},
          {"scale", "random scale of 0.5 to 1.5, bilinear", {random_affine({.scale = {0.5, 1.5}})}},
          {"expand", "random_expand of 1 to 3, bilinear (E1)", {random_expand({1, 3})}}};
}

// One epoch after the other.
class Epochs {
 public:
  Epochs(const Dataset& dataset, const Augmentation& augmentation, const DataSettings& settings, Device device)
      : loader_(dataset, {.batch_size = settings.batch_size,
                          .shuffle = true,
                          .workers = static_cast<int>(settings.workers),
                          .device = device,
                          .transform = {.steps = augmentation.steps}}) {}

  void operator()() {
    for (const Batch& batch : loader_.epoch(++epoch_)) static_cast<void>(batch);
  }

 private:
  DataLoader loader_;
  std::int64_t epoch_ = 0;
};

int run(const DataSettings& settings) {
  if (settings.workers > most_workers) {
    throw Error(fmt::format("workers is {}, expected at most {}", settings.workers, most_workers));
  }
  const std::vector<Augmentation> all = keep_matching(augmentations(), settings.common.filter);
  const Device device = settings.common.runtime.apply();
  const Dataset data = support::load_ten_classes("mnist", Part::train, settings.data, settings.limit);
  Report report(measure_machine(device, settings.common.tiny));
  fmt::print("\n{}, {}: {} images of {}x{}, batches of {}, {} worker{}\n", data.name, data.source, data.size(),
             data.height(), data.width(), settings.batch_size, settings.workers, settings.workers == 1 ? "" : "s");
  std::vector<std::function<void()>> pieces;
  for (const Augmentation& augmentation : all) pieces.push_back(Epochs(data, augmentation, settings, device));
  const std::vector<Timing> timings = time_interleaved(pieces, settings.common.seconds, device);

  report.begin(with_time_titles({"<name", "<augmentation"}, {"images/s"}), {6, 38, 0, 7, 16, 4, 8});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double images_per_s = 1e3 * static_cast<double>(data.size()) / timings[i].median_ms;
    nlohmann::ordered_json record = {{"op", "loader"},
                                     {"pass", all[i].name},
                                     {"n", settings.batch_size},
                                     {"workers", settings.workers},
                                     {"data", data.name},
                                     {"source", data.source},
                                     {"synthetic", data.synthetic},
                                     {"images", data.size()},
                                     {"images_per_s", images_per_s}};
    record.update(to_fields(timings[i]));
    report.add(with_times({all[i].name, all[i].what}, timings[i], {fmt::format("{:.0f}", images_per_s)}),
               std::move(record));
  }
  report.write(settings.common.json);
  return 0;
}

}  // namespace

support::Command data_command() {
  const auto settings = std::make_shared<DataSettings>();
  support::Command command{.name = "data", .summary = "Epochs of a data loader over MNIST, with augmentations"};
  command.settings.add(
      "data", settings->data,
      "folder with MNIST, or synthetic; default: $DEFT_DATA, else where scripts/download_data.sh puts it");
  command.settings.add("limit", settings->limit, "use so many images, 0: all");
  command.settings.add("batch_size", settings->batch_size, "images per batch", 1);
  command.settings.add("workers", settings->workers, "background threads, 0: batches are made when they are asked for");
  settings->common.add_to(command.settings, "plain, scale or expand", "each augmentation");
  settings->common.runtime.add_device_to(command.settings);
  command.run = [settings] { return run(*settings); };
  return command;
}

}  // namespace deft::bench
