// Catch2 2.13 and 3 under one include.
#pragma once

#ifdef DEFT_CATCH2_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
