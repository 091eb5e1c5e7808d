// Fits a line with an installed deft.
#include <cstdio>

#include "deft/apps/support/machine.h"
#include "deft/deft.h"

int main() {
  using namespace deft;
  manual_seed(1);
  const Tensor x = randn({64, 3});
  const Tensor y = matmul(x, from_vector<float>({1, -2, 3}, {3, 1}));
  Linear line(3, 1);
  Adam optimizer(line.parameters(), {.lr = 0.1});
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    optimizer.zero_grad();
    const Tensor error = mse_loss(line(x), y);
    error.backward();
    optimizer.step();
    loss = error.item();
  }
  std::printf("%s: loss %g\n", support::processor_name().c_str(), loss);
  return loss < 1e-3 ? 0 : 1;
}
