#include "deft/apps/support/training_run.h"

#include <fmt/format.h>

#include "deft/kernels/runtime/parallel_for.h"

namespace deft::support {

namespace {

// Those that are not frozen.
std::int64_t trained_parameters(const Module& model) {
  std::int64_t count = 0;
  for (const Tensor& parameter : model.parameters()) count += parameter.requires_grad() ? parameter.numel() : 0;
  return count;
}

}  // namespace

void RunSettings::add_to(Settings& settings, const char* data_help) {
  settings.add("data", data, data_help);
  settings.add("limit", limit, "use so many training and so many test images, 0: all");
  settings.add("max_steps", max_steps, "end after so many steps in all, 0: no such end");
  settings.add("save_epoch_freq", save_epoch_freq, "also keep the weights of every so many epochs, 0: of none");
  settings.add("update_bn", update_bn,
               "take BatchNorm's running statistics anew, over the training images, after every epoch and before its "
               "evaluation");
  settings.add("resume", resume, "go on from the checkpoint in the output folder, if there is one");
  settings.add("no_progress", no_progress, "no progress bar or lines");
  settings.add("quiet", quiet, "print errors alone");
  runtime.add_to(settings);
}

ProgressOptions progress_options(bool off) {
  using Style = ProgressOptions::Style;
  return {.style = off ? Style::off : Style::automatic};
}

std::string description(const TrainTest& data) {
  return fmt::format("{}, {}: {} training and {} test images", data.train.name, data.train.source, data.train.size(),
                     data.test.size());
}

std::string fingerprint(const Dataset& dataset) {
  return fmt::format("{}, {} images, CRC-32 {:08x}", dataset.name, dataset.size(), checksum(dataset));
}

DataLoader training_batches(const Dataset& images, std::int64_t batch_size, std::uint64_t seed, Device device,
                            Transform transform) {
  return DataLoader(
      images.to(device),
      {.batch_size = batch_size, .shuffle = true, .seed = seed, .device = device, .transform = std::move(transform)});
}

History train(const RunSettings& settings, const TrainingState& state, DataLoader batches, Trainer::Evaluate evaluate,
              RunInfo info, const RunDirectory& directory, TrainerOptions options) {
  info.device = to_string(batches.options().device);
  info.precision = settings.runtime.precision;
  info.conv_algorithm = settings.runtime.conv_algorithm;
  info.threads = num_threads();
  info.parameters = trained_parameters(state.model);
  if (!settings.quiet) {
    fmt::print("{}, {}: {} parameters, seed {}\ndata: {}\ndevice: {}, {} {}\n\n", info.experiment, info.model,
               info.parameters, info.seed, info.data, info.device, info.threads,
               info.threads == 1 ? "thread" : "threads");
  }
  options.max_steps = settings.max_steps;
  options.save_epoch_freq = settings.save_epoch_freq;
  options.update_bn = settings.update_bn;
  options.resume = settings.resume;
  options.quiet = settings.quiet;
  options.progress = progress_options(settings.no_progress || settings.quiet);
  options.settings["conv_algorithm"] = info.conv_algorithm;
  options.settings["precision"] = info.precision;
  options.settings["limit"] = std::to_string(settings.limit);
  options.settings["max_steps"] = std::to_string(settings.max_steps);
  options.settings["update_bn"] = settings.update_bn ? "on" : "off";
  Trainer trainer(state, std::move(batches), std::move(evaluate), std::move(info), directory, std::move(options));
  return trainer.run();
}

}  // namespace deft::support
