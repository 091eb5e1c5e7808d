// What most tests include, compiled once.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "deft/core/autograd.h"
#include "deft/core/elementwise.h"
#include "deft/core/random.h"
#include "deft/core/shape_ops.h"
#include "deft/core/tensor.h"
#include "deft/layers/module.h"

#include "catch.h"
