#include "deft/apps/bench/timing.h"

#include <algorithm>

#include "deft/apps/support/progress.h"

namespace deft::bench {

namespace {

constexpr int warm_up_rounds = 2, least_rounds = 5;

Timing summarize(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double share) {
    return milliseconds[static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1) + 0.5)];
  };
  return {at(0.5), milliseconds.front(), at(0.1), at(0.9), static_cast<int>(milliseconds.size())};
}

}  // namespace

std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& pieces, double seconds) {
  for (int round = 0; round < warm_up_rounds; ++round) {
    for (const auto& piece : pieces) piece();
  }
  std::vector<std::vector<double>> times(pieces.size());
  const double end = support::steady_seconds() + seconds * static_cast<double>(pieces.size());
  for (int round = 0; round < least_rounds || support::steady_seconds() < end; ++round) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const double start = support::steady_seconds();
      pieces[i]();
      times[i].push_back(1e3 * (support::steady_seconds() - start));
    }
  }
  std::vector<Timing> timings;
  for (auto& one : times) timings.push_back(summarize(std::move(one)));
  return timings;
}

}  // namespace deft::bench
