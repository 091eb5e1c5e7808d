// Catch2 2.13 and 3 under one include.
#pragma once

#ifdef DEFT_CATCH2_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace deft::testing {

/// Says that this test case leaves something out, and why: "SKIPPED: WHY". A program whose cases have all said so ends
/// with status 77, by which ctest knows skipped tests, unless a check has failed.
void skip(const std::string& why);

}  // namespace deft::testing
