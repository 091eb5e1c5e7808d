#include "deft/data/loader.h"

#include <fmt/format.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "deft/core/random.h"
#include "deft/data/detail/rows.h"
#include "deft/data/detail/transform_steps.h"
#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft {
namespace {

// What a worker makes of a batch. For the CPU it is whole; for a GPU images and labels are as in the data set, or
// absent where that lies there already, and the matrices have yet to be applied.
struct Draft {
  Batch batch;
  Tensor matrices;
};

// The plan of an epoch: which samples make up a batch. Read by all workers at once.
struct Plan {
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const LoaderOptions> options;
  std::int64_t epoch = 0;
  std::int64_t batches = 0;
  std::vector<std::int64_t> order;

  // On the CPU alone, from any thread.
  Draft prepare(std::int64_t number) const {
    const auto begin = order.begin() + number * options->batch_size;
    const auto left = order.end() - begin;
    const auto random_epoch = static_cast<std::uint64_t>(epoch);
    Draft draft;
    Batch& batch = draft.batch;
    batch.indices.assign(begin, begin + std::min<std::int64_t>(left, options->batch_size));
    if (in_main_memory()) batch.labels = gather_rows("loader", dataset->labels, batch.indices);
    if (options->device.is_cpu()) {
      batch.images = transform_images(dataset->images, options->transform, batch.indices, options->seed, random_epoch);
      return draft;
    }
    if (in_main_memory()) batch.images = gather_rows("loader", dataset->images, batch.indices);
    draft.matrices = draw_matrices(options->transform, {dataset->height(), dataset->width()}, batch.indices,
                                   options->seed, random_epoch);
    return draft;
  }

  // The rest, in the order of the consumer's work.
  Batch finish(Draft draft) const {
    const Device device = options->device;
    Batch batch = std::move(draft.batch);
    if (device.is_cpu()) return batch;
    if (!in_main_memory()) {
      batch.labels = gather_rows("loader", dataset->labels, batch.indices);
      batch.images = gather_rows("loader", dataset->images, batch.indices);
    }
    batch.labels = batch.labels.to(device);
    batch.images = move_images(batch.images.to(device), draft.matrices.to(device), options->transform);
    return batch;
  }

 private:
  bool in_main_memory() const { return dataset->images.device().is_cpu(); }
};

// Prepares batches first, first + 1, … of a plan on background threads, at most `prefetch` ahead of the one taken last.
class Prefetcher {
 public:
  Prefetcher(const Plan& plan, std::int64_t first)
      : plan_(plan), next_(first), taken_(first), slots_(static_cast<std::size_t>(plan.options->prefetch)) {
    const std::int64_t workers = std::min<std::int64_t>(plan.options->workers, plan.batches - first);
    try {
      for (std::int64_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {  // the system gives no more threads
      stop();
      throw;
    }
  }
  ~Prefetcher() { stop(); }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // The next draft in order; rethrows what making it threw.
  Draft take() {
    std::unique_lock lock(mutex_);
    if (taken_ == plan_.batches) throw Error(fmt::format("loader: all {} batches were taken", plan_.batches));
    Slot& slot = slot_of(taken_);
    made_.wait(lock, [&] { return slot.ready; });
    Slot result = std::exchange(slot, Slot());
    ++taken_;
    room_.notify_one();
    if (result.error) std::rethrow_exception(result.error);
    return std::move(result.draft);
  }

 private:
  struct Slot {
    bool ready = false;
    Draft draft;
    std::exception_ptr error;
  };

  Slot& slot_of(std::int64_t number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }

  void work() {
    const SerialScope serial;  // the other threads of this machine train
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [&] { return stopping_ || next_ == plan_.batches || next_ < taken_ + plan_.options->prefetch; });
      if (stopping_ || next_ == plan_.batches) return;
      const std::int64_t number = next_++;
      lock.unlock();
      Slot result{.ready = true, .draft = {}, .error = {}};
      try {
        result.draft = plan_.prepare(number);
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      slot_of(number) = std::move(result);
      made_.notify_one();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  const Plan& plan_;
  std::mutex mutex_;
  std::condition_variable made_, room_;
  std::int64_t next_;   // the batch that the next free worker makes
  std::int64_t taken_;  // the batch that the consumer waits for
  bool stopping_ = false;
  std::vector<Slot> slots_;
  std::vector<std::thread> threads_;
};

}  // namespace

struct Epoch::State {
  Plan plan;
  std::int64_t at = 0;
  bool begun = false;
  Batch batch;
  std::unique_ptr<Prefetcher> prefetcher;

  void fetch() {
    if (at < plan.batches) batch = plan.finish(prefetcher ? prefetcher->take() : plan.prepare(at));
  }
};

DataLoader::DataLoader(Dataset dataset, LoaderOptions options)
    : dataset_(std::make_shared<Dataset>(std::move(dataset))),
      options_(std::make_shared<LoaderOptions>(std::move(options))) {
  check_dataset(*dataset_);
  const auto at_least = [](const char* name, std::int64_t value, std::int64_t least) {
    if (value < least) throw Error(fmt::format("loader: {} is {}, expected at least {}", name, value, least));
  };
  at_least("batch_size", options_->batch_size, 1);
  at_least("workers", options_->workers, 0);
  at_least("prefetch", options_->prefetch, 1);
  require_device(options_->device);
  const Device from = dataset_->images.device();
  if (!from.is_cpu() && from != options_->device) {
    throw Error(fmt::format("loader: the data set is on {}, expected cpu or the device of the batches, {}",
                            to_string(from), to_string(options_->device)));
  }
}

std::int64_t DataLoader::size() const {
  const std::int64_t batch = options_->batch_size, whole = dataset_->size() / batch;
  return whole + (options_->drop_last || dataset_->size() % batch == 0 ? 0 : 1);
}

Epoch DataLoader::epoch(std::int64_t number, std::int64_t first) const {
  if (number < 0 || first < 0 || first > size()) {
    throw Error(fmt::format("loader: epoch {} from batch {}, expected at least 0, and 0 to {}", number, first, size()));
  }
  auto state = std::make_unique<Epoch::State>();
  std::vector<std::int64_t> order;
  if (options_->shuffle) {
    order = permutation(dataset_->size(), draws(options_->seed, Draw::shuffle, static_cast<std::uint64_t>(number)));
  } else {
    order.resize(static_cast<std::size_t>(dataset_->size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
  }
  state->plan = {dataset_, options_, number, size(), std::move(order)};
  state->at = first;
  if (options_->workers > 0) state->prefetcher = std::make_unique<Prefetcher>(state->plan, first);
  return Epoch(std::move(state));
}

Epoch::Epoch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Epoch::Epoch(Epoch&&) noexcept = default;
Epoch::~Epoch() = default;

Epoch::Iterator Epoch::begin() {
  if (!state_->begun) state_->fetch();
  state_->begun = true;
  return Iterator(*state_);
}

const Batch& Epoch::Iterator::operator*() const { return state_->batch; }
bool Epoch::Iterator::done() const { return state_->at >= state_->plan.batches; }

Epoch::Iterator& Epoch::Iterator::operator++() {
  ++state_->at;
  state_->fetch();
  return *this;
}

}  // namespace deft
