#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "deft/apps/geometry/commands.h"
#include "deft/apps/geometry/training.h"
#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/table.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps::geometry {

namespace {

constexpr double held_out = 0.1;

struct SelectSettings {
  Recipe common;
  std::vector<std::string> nets = {"16-32-32", "16-32-64", "32-64-64"};
  std::vector<double> lrs = {0.001, 0.002};
  std::string out = "runs/E3-select";
  support::RunSettings run;

  void add_to(support::Settings& settings) {
    settings.add("nets", nets, "the nets, each by the outputs of its convolutions");
    settings.add("lrs", lrs, "learning rates of Adam in the first epoch");
    common.add_common_to(settings, "passes over the training images at most");
    settings.add("out", out, "folder for the results, with one for each candidate in it");
    run.add_to(settings, data_help);
  }
};

// "32-64-64" as numbers.
std::vector<std::int64_t> parse_channels(const std::string& net) {
  std::vector<std::int64_t> channels;
  const char *at = net.data(), *end = at + net.size();
  for (;;) {
    const auto [stop, error] = std::from_chars(at, end, channels.emplace_back());
    if (error != std::errc() || channels.back() < 1 || (stop != end && *stop != '-')) {
      throw Error(fmt::format("--nets: '{}' is not a net such as 32-64-64", net));
    }
    if (stop == end) return channels;
    at = stop + 1;
  }
}

struct Candidate {
  std::string net;
  Recipe recipe;
  support::History history = {};
};

std::vector<Candidate> candidates(const SelectSettings& settings) {
  std::vector<Candidate> list;
  for (const std::string& net : settings.nets) {
    for (const double lr : settings.lrs) {
      Candidate candidate{net, settings.common};
      candidate.recipe.channels = GeometryNet::checked(parse_channels(net));
      candidate.recipe.lr = lr;
      list.push_back(std::move(candidate));
    }
  }
  return list;
}

// A table of all candidates, each after its best epoch.
void print_table(const std::vector<Candidate>& all) {
  const support::Table table({"<net", "learning rate", "parameters", "best epoch", "validation acc.", "last epoch"},
                             {12});
  fmt::print("\n{}", table.header());
  for (const Candidate& one : all) {
    const support::EpochRecord& best = one.history.best();
    fmt::print("{}", table.row({one.net, fmt::format("{}", one.recipe.lr),
                                std::to_string(GeometryNet("regular", 1, one.recipe.channels).num_parameters()),
                                std::to_string(best.epoch), fmt::format("{:.2f} %", 100 * best.test.accuracy),
                                fmt::format("{:.2f} %", 100 * one.history.epochs.back().test.accuracy)}));
  }
}

// The settings of the best candidate at its best epoch, as a preset for `geometry run`.
std::string preset(const std::vector<Candidate>& all) {
  const Candidate& best = *std::max_element(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return a.history.best().test.accuracy < b.history.best().test.accuracy;
  });
  return support::to_text({{"channels", best.recipe.channels},
                           {"epochs", best.history.best().epoch},
                           {"batch_size", best.recipe.batch_size},
                           {"lr", best.recipe.lr},
                           {"gamma", best.recipe.gamma},
                           {"seed", best.recipe.seed}},
                          2) +
         "\n";
}

int select(const SelectSettings& settings, const support::Settings& list) {
  const Device device = settings.run.runtime.apply();
  std::vector<Candidate> all = candidates(settings);
  const Row& row = selection_row();
  const Dataset data =
      support::load_ten_classes(row.data, Part::train, settings.run.data, settings.run.limit, settings.run.quiet);
  const TrainValidation parts = split_validation(data, held_out, static_cast<std::uint64_t>(settings.common.seed));
  if (parts.validation.size() == 0) {
    throw Error(fmt::format("select: a tenth of {} images is none to validate with", data.size()));
  }
  for (Candidate& candidate : all) {
    if (!settings.run.quiet) fmt::print("{}, learning rate {}\n", candidate.net, candidate.recipe.lr);
    candidate.history = train({.cell = {&row, "regular"},
                               .recipe = candidate.recipe,
                               .train = parts.train,
                               .test = parts.validation,
                               .evaluation = "validation",
                               .folder = fmt::format("{}/{}-lr{}", settings.out, candidate.net, candidate.recipe.lr),
                               .config = list.to_json()},
                              settings.run, device);
    if (!settings.run.quiet) fmt::print("\n");
  }
  const std::string path = settings.out + "/preset.json";
  write_file(path, preset(all));
  if (settings.run.quiet) return 0;
  print_table(all);
  fmt::print("\nhighest validation accuracy, now in {}:\n{}", path, preset(all));
  return 0;
}

}  // namespace

support::Command select_command() {
  const auto settings = std::make_shared<SelectSettings>();
  support::Command command{
      .name = "select",
      .summary = "Choose net, learning rate and epochs with regular nets on held-out training images",
      .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings, list = command.settings] { return select(*settings, list); };
  return command;
}

}  // namespace deft::apps::geometry
