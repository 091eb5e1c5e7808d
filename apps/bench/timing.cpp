#include "deft/apps/bench/timing.h"

#include <algorithm>
#include <deque>

#include "deft/apps/support/progress.h"
#include "deft/kernels/runtime/event.h"

namespace deft::bench {

namespace {

constexpr int warm_up_rounds = 2;
constexpr std::size_t least_rounds = 5;
// Between two waits for the device: at least so long, so that it is seldom idle, but not more rounds than it queues.
constexpr double least_seconds = 0.02;
constexpr std::size_t most_rounds_at_once = 64;

Timing summarize(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double share) {
    return milliseconds[static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1) + 0.5)];
  };
  return {at(0.5), milliseconds.front(), at(0.1), at(0.9), static_cast<int>(milliseconds.size())};
}

struct Interval {
  explicit Interval(Device device) : start(device), end(device) {}
  Event start, end;
};

}  // namespace

std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& pieces, double seconds, Device device) {
  for (int round = 0; round < warm_up_rounds; ++round) {
    for (const auto& piece : pieces) piece();
  }
  std::vector<std::vector<double>> times(pieces.size());
  std::deque<Interval> intervals;  // of the rounds since the last wait
  const auto rounds_done = [&] { return times.empty() ? least_rounds : times[0].size(); };
  const double end = support::steady_seconds() + seconds * static_cast<double>(pieces.size());
  for (std::size_t rounds = 1; rounds_done() < least_rounds || support::steady_seconds() < end;) {
    const double begin = support::steady_seconds();
    while (intervals.size() < rounds * pieces.size()) intervals.emplace_back(device);
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      intervals[i].start.record();
      pieces[i % pieces.size()]();
      intervals[i].end.record();
    }
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      times[i % pieces.size()].push_back(intervals[i].start.elapsed_time(intervals[i].end));
    }
    if (support::steady_seconds() - begin < least_seconds) rounds = std::min(2 * rounds, most_rounds_at_once);
  }
  std::vector<Timing> timings;
  for (auto& one : times) timings.push_back(summarize(std::move(one)));
  return timings;
}

}  // namespace deft::bench
