// Running the programs of this build.
#pragma once

#include "shell.h"

/// Runs scaled_mnist with these arguments.
inline ProgramResult scaled_mnist(const std::string& arguments) { return run_shell(DEFT_SCALED_MNIST " " + arguments); }
