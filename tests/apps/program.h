// Running the programs of this build.
#pragma once

#include "shell.h"

/// Runs cifar10 with these arguments.
inline ProgramResult cifar10(const std::string& arguments) { return run_shell(DEFT_CIFAR10 " " + arguments); }

/// Runs scaled_mnist with these arguments.
inline ProgramResult scaled_mnist(const std::string& arguments) { return run_shell(DEFT_SCALED_MNIST " " + arguments); }

/// Runs visualize with these arguments.
inline ProgramResult visualize(const std::string& arguments) { return run_shell(DEFT_VISUALIZE " " + arguments); }

/// Runs geometry with these arguments.
inline ProgramResult geometry(const std::string& arguments) { return run_shell(DEFT_GEOMETRY " " + arguments); }
