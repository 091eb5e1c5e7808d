#include "deft/kernels/runtime/event.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using deft::testing::test_device;

TEST_CASE("events measure the time between them") {
  Event start(test_device()), middle(test_device()), end(test_device());
  start.record();
  const testing::Buffer<float> work(std::vector<float>(10000, 1.0f));
  middle.record();
  end.record();
  const double first = start.elapsed_time(middle), whole = start.elapsed_time(end);
  CHECK(first >= 0);
  CHECK(whole >= first);
  CHECK(whole < 1e5);
  CHECK(start.elapsed_time(start) == 0);
}

TEST_CASE("events say what they cannot measure") {
  Event start(test_device()), end(test_device());
  CHECK_THROWS_WITH(start.elapsed_time(end), "elapsed_time: the start was not recorded");
  start.record();
  CHECK_THROWS_WITH(start.elapsed_time(end), "elapsed_time: the end was not recorded");
}
