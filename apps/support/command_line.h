// Command lines: programs with commands, each with its own settings; errors in one line.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "deft/apps/support/config.h"

namespace deft::support {

/// A command of a program: `scaled_mnist train --epochs 3`.
struct Command {
  std::string name;
  std::string summary;
  Settings settings = {};
  bool config_file = false;       ///< also takes --config FILE.json; flags override what that says
  std::function<int()> run = {};  ///< called when all settings are in place; returns the exit status
};

struct Program {
  std::string name;
  std::string summary;
  std::vector<Command> commands;
  /// The command when the arguments name none; empty: naming one is required.
  std::string default_command = {};
};

/// Reads the command line, runs the command and returns the exit status: 0 after --help, 1 after any error (one line on
/// `errors` that starts with the program's name), 130 after an interrupt, else the command's. Unknown flags and
/// commands get the nearest known one.
int run_program(const Program& program, int argc, const char* const* argv, std::FILE* errors = stderr);

}  // namespace deft::support
