#include "deft/apps/support/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/table.h"
#include "deft/core/autograd.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"
#include "deft/layers/batch_norm2d.h"
#include "deft/layers/graph.h"
#include "deft/layers/loss.h"

namespace deft::support {

namespace {

// `evaluation` is what RunInfo says: "test".
Table epoch_table(const std::string& evaluation) {
  return Table(
      {"epoch", "learning rate", "train loss", evaluation + " loss", "train acc.", evaluation + " acc.", "elapsed s"},
      {0, 0, 0, 0, 0, 0, 11});
}

}  // namespace

Trainer::Trainer(TrainingState state, DataLoader batches, Evaluate evaluate, RunInfo info, RunDirectory directory,
                 TrainerOptions options)
    : state_(std::move(state)),
      batches_(std::move(batches)),
      evaluate_(std::move(evaluate)),
      info_(std::move(info)),
      directory_(std::move(directory)),
      options_(std::move(options)),
      log_(directory_, info_) {}

const History& Trainer::run() {
  const InterruptGuard guard;
  try {
    if (options_.update_bn) require_statistics();
    directory_.create();
    if (!options_.resume || !resume()) directory_.remove_results();
    if (!finished()) write_file(directory_.config(), options_.config);
    write_graph();
    log_.start(state_.history);
    if (!options_.quiet) fmt::print("{}{}", left_out_of_run_log(), epoch_table(info_.evaluation).header());
    for (const EpochRecord& record : state_.history.epochs) print(record);
    while (!finished()) run_epoch(static_cast<std::int64_t>(state_.history.epochs.size()) + 1);
  } catch (const Interrupted&) {
    const std::size_t saved = state_.history.epochs.size();
    fmt::print(stderr, "interrupted: {} of {} epochs are saved in {}{}\n", saved, options_.epochs, directory_.path(),
               saved > 0 ? "; --resume goes on from there" : "");
    throw;
  }
  return state_.history;
}

bool Trainer::finished() const {
  return static_cast<std::int64_t>(state_.history.epochs.size()) >= options_.epochs ||
         (options_.max_steps > 0 && steps_ >= options_.max_steps);
}

bool Trainer::resume() {
  const std::string path = directory_.checkpoint();
  if (!std::filesystem::exists(path)) {
    if (!options_.quiet) fmt::print("{} has no checkpoint yet: starting with epoch 1\n", directory_.path());
    return false;
  }
  load_checkpoint(path, state_, options_.settings);
  const auto done = static_cast<std::int64_t>(state_.history.epochs.size());
  if (done > options_.epochs) {
    throw Error(fmt::format("{}: {} epochs are done, more than the {} of this run", path, done, options_.epochs));
  }
  steps_ = done * batches_.size();
  return true;
}

void Trainer::run_epoch(std::int64_t epoch) {
  EpochRecord record = train_epoch(epoch);
  double start = options_.progress.clock();
  if (options_.update_bn) update_statistics(epoch);
  record.seconds += options_.progress.clock() - start;
  start = options_.progress.clock();
  record.test = evaluate_(options_.progress);
  record.test_seconds = options_.progress.clock() - start;
  state_.scheduler.step();
  state_.history.epochs.push_back(record);
  for (EpochRecord& one : state_.history.epochs) {
    if (&one != &state_.history.best()) one.test.predictions.clear();
  }
  save(record);
  print(state_.history.epochs.back());
}

// A star marks an epoch that is the best one when it is printed.
void Trainer::print(const EpochRecord& record) const {
  if (options_.quiet) return;
  const auto percent = [](double share) { return fmt::format("{:.2f} %", 100 * share); };
  fmt::print("{}", epoch_table(info_.evaluation)
                       .row({std::to_string(record.epoch), fmt::format("{:.3g}", record.learning_rate),
                             fmt::format("{:.4f}", record.train_loss), fmt::format("{:.4f}", record.test.loss),
                             percent(record.train_accuracy), percent(record.test.accuracy),
                             fmt::format("{:.1f}{}", state_.history.elapsed(record),
                                         &record == &state_.history.best() ? " *" : "  ")}));
  std::fflush(stdout);
}

EpochRecord Trainer::train_epoch(std::int64_t epoch) {
  EpochRecord record{.epoch = epoch, .learning_rate = state_.optimizer.lr()};
  std::int64_t expected = batches_.dataset().size();
  if (options_.max_steps > 0) {
    expected = std::min(expected, (options_.max_steps - steps_) * batches_.options().batch_size);
  }
  Progress progress(fmt::format("epoch {}/{}", epoch, options_.epochs), expected, options_.progress);
  const double start = options_.progress.clock();
  const auto require_finite = [&](double loss, std::int64_t images) {
    if (std::isfinite(loss)) return loss;
    throw Error(fmt::format("epoch {}: the loss is {} after {} images; a smaller learning rate may help", epoch,
                            std::abs(loss), images));
  };
  Tally tally(batches_.options().device);
  // Of the loss, which should be a number: reading it makes the host wait for a GPU.
  const std::int64_t steps_between_checks = batches_.options().device.is_cpu() ? 1 : 50;
  state_.model.train();
  for (const Batch& batch : batches_.epoch(epoch)) {
    throw_if_interrupted();
    state_.optimizer.zero_grad();
    const Tensor logits = state_.model(batch.images);
    const Tensor loss = cross_entropy(logits, batch.labels);
    loss.backward();
    state_.optimizer.step();

    tally.add(logits, batch.labels, loss);
    ++steps_;
    if (progress.due() || steps_ % steps_between_checks == 0) {
      progress.update(tally.images(), require_finite(loss.item(), tally.images()));
    }
    if (steps_ == options_.max_steps) break;
  }
  record.train_loss = require_finite(tally.loss(), tally.images());
  record.train_accuracy = tally.accuracy();
  record.seconds = options_.progress.clock() - start;
  return record;
}

void Trainer::update_statistics(std::int64_t epoch) {
  const NoGrad no_grad;
  BatchNormUpdate update(state_.model);
  Progress progress("running statistics", batches_.dataset().size(), options_.progress);
  std::int64_t images = 0, steps = 0;
  for (const Batch& batch : batches_.epoch(epoch)) {
    throw_if_interrupted();
    state_.model(batch.images);
    progress.update(images += batch.labels.numel());
    if (++steps == options_.max_steps) break;
  }
  update.commit();
}

// Tried before the first epoch, which would be lost otherwise.
void Trainer::require_statistics() {
  const NoGrad no_grad;
  const BatchNormUpdate update(state_.model);
  Epoch epoch = batches_.epoch(1);
  state_.model((*epoch.begin()).images);
  if (update.empty()) throw Error("update_bn: the net has no BatchNorm2d that is not frozen");
}

void Trainer::save(const EpochRecord& record) {
  // The checkpoint comes after the weights: whoever resumes from it finds them.
  if (&state_.history.best() == &state_.history.epochs.back()) {
    save_weights(directory_.best_weights(), state_.model, info_, record);
  }
  save_weights(directory_.last_weights(), state_.model, info_, record);
  if (options_.save_epoch_freq > 0 && record.epoch % options_.save_epoch_freq == 0) {
    save_weights(directory_.snapshot(record.epoch), state_.model, info_, record);
  }
  save_checkpoint(directory_.checkpoint(), state_, options_.settings, batches_.options().device);
  log_.add_epoch(state_.history);
}

// Of an image as the net sees it in training.
void Trainer::write_graph() {
  LoaderOptions one = batches_.options();
  one.batch_size = 1;
  one.shuffle = false;
  one.workers = 0;
  Epoch epoch = DataLoader(batches_.dataset(), one).epoch(1);
  write_file(directory_.graph(), graph_dot(state_.model, (*epoch.begin()).images));
}

}  // namespace deft::support
