// Fits a line with an installed deft, and draws how.
#include <cstdio>

#include "deft/apps/support/chart.h"
#include "deft/apps/support/machine.h"
#include "deft/deft.h"

int main() {
  using namespace deft;
  manual_seed(1);
  const Tensor x = randn({64, 3});
  const Tensor y = matmul(x, from_vector<float>({1, -2, 3}, {3, 1}));
  Linear line(3, 1);
  Adam optimizer(line.parameters(), {.lr = 0.1});
  support::Series losses{.name = "training", .points = {}};
  for (int step = 1; step <= 200; ++step) {
    optimizer.zero_grad();
    const Tensor error = mse_loss(line(x), y);
    error.backward();
    optimizer.step();
    losses.points.push_back({static_cast<double>(step), error.item()});
  }
  const double loss = losses.points.back().y;
  const std::size_t bytes =
      support::can_draw() ? draw(support::LineChart{"Loss", "step", "loss", {losses}}).png().size() : 0;
  std::printf("%s: loss %g, a chart of %zu bytes\n", support::processor_name().c_str(), loss, bytes);
  return loss < 1e-3 ? 0 : 1;
}
