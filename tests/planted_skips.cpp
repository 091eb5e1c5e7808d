// Cases that scripts/skipped_tests_test.sh runs: skipped, passed and failed ones.
#include "catch.h"

using deft::testing::skip;

TEST_CASE("skipped") { skip("planted"); }

TEST_CASE("skipped as well") { skip("planted"); }

TEST_CASE("passed") { CHECK(1 + 1 == 2); }

TEST_CASE("skipped and failed") {
  skip("planted");
  CHECK(1 + 1 == 3);
}

TEST_CASE("77 failures") {
  for (int i = 0; i < 77; ++i) CHECK(i < 0);
}
