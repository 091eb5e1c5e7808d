// Cutting a data set into batches, prepared in the background.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/data/dataset.h"
#include "deft/data/transform.h"

namespace deft {

/// Some samples of a data set.
struct Batch {
  Tensor images;                      ///< float32 [B, H, W, C], transformed
  Tensor labels;                      ///< int64 [B]
  std::vector<std::int64_t> indices;  ///< which samples of the data set these are
};

struct LoaderOptions {
  std::int64_t batch_size = 64;
  bool shuffle = false;              ///< a new random order every epoch
  bool drop_last = false;            ///< leave out a last batch that is not full
  std::uint64_t seed = 0;            ///< of the order and the augmentation
  int workers = 1;                   ///< background threads; 0: each batch is made when it is asked for
  int prefetch = 4;                  ///< batches that may lie ready
  Device device = default_device();  ///< where batches come out
  Transform transform = {};
};

class Epoch;

/// Gives the batches of a data set, epoch by epoch:
///
///     for (const deft::Batch& batch : loader.epoch(3)) step(batch.images, batch.labels);
///
/// Batches are a function of data set, options and epoch number alone: the number of workers changes nothing, and
/// neither does what was asked for before. Every device draws the same augmentation. For a GPU workers leave the images
/// as bytes; whoever takes a batch sends them there, without waiting, and the GPU moves and normalises them. A data set
/// that lies there whole (Dataset::to) has its batches picked out there.
class DataLoader {
 public:
  /// Throws Error for a data set that check_dataset refuses or that lies on a GPU other than options.device, for
  /// batch_size or prefetch below 1, workers below 0, and for a device that is not there.
  explicit DataLoader(Dataset dataset, LoaderOptions options = {});

  /// Batches in an epoch.
  std::int64_t size() const;
  const Dataset& dataset() const { return *dataset_; }
  const LoaderOptions& options() const { return *options_; }

  /// The batches of one epoch from batch `first` on, to be gone through once.
  Epoch epoch(std::int64_t number, std::int64_t first = 0) const;

 private:
  std::shared_ptr<const Dataset> dataset_;
  std::shared_ptr<const LoaderOptions> options_;
};

/// One pass through a data set. An error in a worker is thrown where its batch is asked for. Destroying it, in the
/// middle too, stops the workers and waits for the batches under way.
class Epoch {
 public:
  struct State;

  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(State& state) : state_(&state) {}
    const Batch& operator*() const;
    Iterator& operator++();
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& at, std::default_sentinel_t) { return at.done(); }

   private:
    bool done() const;
    State* state_;
  };

  explicit Epoch(std::unique_ptr<State> state);
  Epoch(Epoch&&) noexcept;
  ~Epoch();

  /// Where this pass is: the first batch, and when called again the one that it has come to.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace deft
