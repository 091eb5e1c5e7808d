// How far a long loop is: a bar on a terminal, now and then a line elsewhere.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>

namespace deft::support {

/// Seconds of a clock that never goes back.
double steady_seconds();

struct ProgressOptions {
  enum class Style {
    automatic,  ///< bar if the stream is a terminal, else lines
    bar,        ///< one line, drawn again at most ten times a second
    lines,      ///< a line at most every `line_interval` seconds
    off,
  };
  Style style = Style::automatic;
  double line_interval = 10;
  std::FILE* stream = stderr;
  std::function<double()> clock = steady_seconds;
};

/// What a progress line shows.
struct ProgressState {
  std::string label;                                       ///< "epoch 3/14"
  std::int64_t done = 0, total = 0;                        ///< images
  double seconds = 0;                                      ///< since the start
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< NaN: not shown
};

/// "epoch 3/14   50% [=====>    ]  loss 0.1234  6000 images/s  0:05 left", in `width` columns if they suffice for a bar
/// of ten.
std::string progress_bar(const ProgressState& state, int width);

/// "epoch 3/14: 30000/60000 images, loss 0.1234, 6000 images/s, 0:05 left".
std::string progress_line(const ProgressState& state);

/// Shows the progress of one loop over `total` images. The bar disappears at the end.
class Progress {
 public:
  Progress(std::string label, std::int64_t total, const ProgressOptions& options = {});
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Whether update() would show something now: what is costly to find out can wait until then.
  bool due() const;
  /// `done` images are through; `loss` is that of the last step or a mean of some.
  void update(std::int64_t done, double loss = std::numeric_limits<double>::quiet_NaN());
  /// Clears the bar.
  void finish();

 private:
  ProgressOptions options_;
  ProgressState state_;
  double start_, last_shown_;
  bool bar_visible_ = false;
};

}  // namespace deft::support
