#include "deft/apps/support/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace deft::support {

namespace {

constexpr double bar_interval = 0.1;

int terminal_width(std::FILE* stream) {
  winsize size{};
  return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// "0:05", "12:34", "1:02:03".
std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

// Loss, rate and time left, as far as they are known.
std::string figures(const ProgressState& state, const char* separator) {
  std::string text;
  if (!std::isnan(state.loss)) text += fmt::format("{}loss {:.4f}", separator, state.loss);
  if (state.done > 0 && state.seconds > 0) {
    const double rate = static_cast<double>(state.done) / state.seconds;
    const double left = static_cast<double>(state.total - state.done) / rate;
    text += fmt::format("{}{:.0f} images/s{}{} left", separator, rate, separator, duration(left));
  }
  return text;
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string progress_bar(const ProgressState& state, int width) {
  const double share = state.total > 0 ? static_cast<double>(state.done) / static_cast<double>(state.total) : 1;
  const std::string head = fmt::format("{} {:4.0f}% ", state.label, 100 * share);
  const std::string tail = figures(state, "  ");
  const int cells = std::clamp(width - static_cast<int>(head.size() + tail.size()) - 3, 10, 40);
  const int full = static_cast<int>(share * cells);
  const std::string tip = full < cells ? ">" : "";
  return fmt::format("{}[{}{}{}]{}", head, std::string(full, '='), tip, std::string(std::max(cells - full - 1, 0), ' '),
                     tail);
}

std::string progress_line(const ProgressState& state) {
  return fmt::format("{}: {}/{} images{}", state.label, state.done, state.total, figures(state, ", "));
}

Progress::Progress(std::string label, std::int64_t total, const ProgressOptions& options) : options_(options) {
  using Style = ProgressOptions::Style;
  if (options_.style == Style::automatic) options_.style = isatty(fileno(options_.stream)) ? Style::bar : Style::lines;
  state_.label = std::move(label);
  state_.total = total;
  start_ = last_shown_ = options_.clock();
}

bool Progress::due() const {
  using Style = ProgressOptions::Style;
  if (options_.style == Style::off) return false;
  return options_.clock() - last_shown_ >= (options_.style == Style::bar ? bar_interval : options_.line_interval);
}

void Progress::update(std::int64_t done, double loss) {
  using Style = ProgressOptions::Style;
  if (!due()) return;
  last_shown_ = options_.clock();
  state_.done = done;
  state_.seconds = last_shown_ - start_;
  state_.loss = loss;
  if (options_.style == Style::bar) {
    // One column is left free: some terminals wrap when the last one is written.
    fmt::print(options_.stream, "\r{}\x1b[K", progress_bar(state_, terminal_width(options_.stream) - 1));
    bar_visible_ = true;
  } else {
    fmt::print(options_.stream, "{}\n", progress_line(state_));
  }
  std::fflush(options_.stream);
}

void Progress::finish() {
  if (!bar_visible_) return;
  fmt::print(options_.stream, "\r\x1b[K");
  std::fflush(options_.stream);
  bar_visible_ = false;
}

}  // namespace deft::support
