#include "deft/apps/support/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "deft/apps/support/interrupt.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

namespace {

// What the arguments said, in order; applied when the configuration file has been read.
struct Given {
  std::string config_file;
  std::vector<std::pair<const Setting*, std::string>> values;
};

std::string type_name(const Setting& setting) {
  if (!setting.choices.empty()) return fmt::format("{}", fmt::join(setting.choices, "|"));
  if (std::holds_alternative<std::int64_t*>(setting.target)) return "INT";
  if (std::holds_alternative<double*>(setting.target)) return "NUMBER";
  if (std::holds_alternative<std::vector<std::int64_t>*>(setting.target)) return "INT,INT,…";
  if (std::holds_alternative<std::vector<double>*>(setting.target)) return "NUMBER,NUMBER,…";
  if (std::holds_alternative<std::vector<std::string>*>(setting.target)) return "TEXT,TEXT,…";
  return "TEXT";
}

struct DefaultText {
  std::string operator()(const bool*) const { return ""; }
  std::string operator()(const std::string* target) const { return *target; }
  std::string operator()(const std::int64_t* target) const { return std::to_string(*target); }
  std::string operator()(const double* target) const { return fmt::format("{}", *target); }
  template <class T>
  std::string operator()(const std::vector<T>* target) const {
    return fmt::format("{}", fmt::join(*target, ","));
  }
};

void add_setting(CLI::App& app, const Setting& setting, Given& given) {
  CLI::Option* option = nullptr;
  if (std::holds_alternative<bool*>(setting.target)) {
    option = app.add_flag(setting.flag(), setting.help);
  } else {
    option = app.add_option(setting.flag(), setting.help);
    if (setting.positional) {
      option->required()->type_name("");
      if (std::holds_alternative<std::vector<std::string>*>(setting.target)) {
        option->expected(CLI::detail::expected_max_vector_size);
      }
    } else {
      option->type_name(type_name(setting))->default_str(std::visit(DefaultText(), setting.target))->take_last();
    }
  }
  option->each([&setting, &given](const std::string& text) { given.values.emplace_back(&setting, text); });
}

void add_command(CLI::App& app, const Command& command, Given& given) {
  CLI::App* sub = app.add_subcommand(command.name, command.summary);
  sub->allow_extras();  // reported by require_known, with a suggestion
  if (command.config_file) {
    sub->add_option("--config", given.config_file, "JSON file with settings; flags override it")->type_name("FILE");
  }
  for (const Setting& setting : command.settings.list()) add_setting(*sub, setting, given);
}

void require_known(const std::vector<std::string>& extras, const Command& command) {
  if (extras.empty()) return;
  const std::string word = extras[0].substr(0, extras[0].find('='));
  if (word.rfind('-', 0) != 0) throw Error(fmt::format("unexpected argument '{}'", word));
  std::vector<std::string> flags;
  for (const Setting& setting : command.settings.list()) {
    if (!setting.positional) flags.push_back(setting.flag());
  }
  if (command.config_file) flags.push_back("--config");
  flags.push_back("--help");
  throw Error(fmt::format("unknown flag '{}', did you mean '{}'?", word, nearest(word, flags)));
}

const Command& find_command(const Program& program, const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : program.commands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  throw Error(fmt::format("unknown command '{}', did you mean '{}'?", name, nearest(name, names)));
}

bool asks_for_help(const std::string& word) { return word == "--help" || word == "-h"; }

int run_checked(const Program& program, std::vector<std::string> arguments) {
  CLI::App app(program.summary, program.name);
  app.require_subcommand(1);
  Given given;
  for (const Command& command : program.commands) add_command(app, command, given);

  const bool named = !arguments.empty() && (arguments[0].rfind('-', 0) != 0 || asks_for_help(arguments[0]));
  if (!named) {
    if (program.default_command.empty()) {
      throw Error(fmt::format("expected a command first, see {} --help", program.name));
    }
    arguments.insert(arguments.begin(), program.default_command);
  }
  if (!asks_for_help(arguments[0])) find_command(program, arguments[0]);

  std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes a vector
  try {
    app.parse(arguments);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    throw Error(error.what());
  }
  const Command& command = find_command(program, app.get_subcommands().at(0)->get_name());
  require_known(app.get_subcommands().at(0)->remaining(), command);
  if (!given.config_file.empty()) command.settings.load_json(given.config_file);
  for (const auto& [setting, text] : given.values) command.settings.set_from_text(*setting, text);
  return command.run();
}

}  // namespace

int run_program(const Program& program, int argc, const char* const* argv, std::FILE* errors) {
  try {
    const int status = run_checked(program, {argv + std::min(argc, 1), argv + argc});
    if (std::fflush(stdout) != 0) throw Error(fmt::format("standard output: {}", std::strerror(errno)));
    return status;
  } catch (const Interrupted&) {
    return interrupted_status;
  } catch (const std::exception& error) {
    fmt::print(errors, "{}: {}\n", program.name, error.what());
    return 1;
  }
}

}  // namespace deft::support
