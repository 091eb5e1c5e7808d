#include "deft/apps/support/checkpoint.h"

#include <fmt/format.h>

#include "deft/apps/support/detail/json.h"
#include "deft/core/generator.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

namespace {

void append(NamedTensors& into, const std::string& prefix, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) into.emplace_back(prefix + name, tensor);
}

// The tensors whose name starts with `prefix`, without it.
NamedTensors extract(const NamedTensors& from, const std::string& prefix) {
  NamedTensors result;
  for (const auto& [name, tensor] : from) {
    if (name.rfind(prefix, 0) == 0) result.emplace_back(name.substr(prefix.size()), tensor);
  }
  return result;
}

std::string generator_text(const Generator& generator) {
  return fmt::format("{} {}", generator.seed(), generator.position());
}

void restore_generator(const std::string& text, const std::string& path) {
  unsigned long long seed = 0, position = 0;
  if (std::sscanf(text.c_str(), "%llu %llu", &seed, &position) != 2) {
    throw Error(fmt::format("{}: its generator is '{}', expected seed and position", path, text));
  }
  default_generator().set_state(seed, position);
}

void require_same_settings(const std::map<std::string, std::string>& ours, const std::string& theirs_text,
                           const std::string& path) {
  const Json theirs = parse_json(theirs_text, path);
  const Json ours_as_written = parse_json(to_text(ours), path);
  for (const auto& [name, value] : ours_as_written.items()) {
    const Json written = theirs.is_object() ? theirs.value(name, Json("nothing")) : Json("nothing");
    if (written != value) {
      throw Error(fmt::format("{0}: was written with {1} {2}, this run has {1} {3}", path, name,
                              written.is_string() ? written.get<std::string>() : to_text(written),
                              value.get<std::string>()));
    }
  }
}

History history_of(const Safetensors& file, const std::string& path) {
  return history_from_json(metadata_value(file, path, "history"), path);
}

}  // namespace

void save_weights(const std::string& path, const Module& model, const RunInfo& info, const EpochRecord& record) {
  save_safetensors(path, {.tensors = model.state_dict(),
                          .metadata = {{"experiment", info.experiment},
                                       {"model", info.model},
                                       {"epoch", std::to_string(record.epoch)},
                                       {"accuracy", fmt::format("{}", record.test.accuracy)},
                                       {"seed", std::to_string(info.seed)},
                                       {"data", info.data},
                                       {"layout", "convolution weights are [O, kH, kW, C / groups]"}}});
}

std::string metadata_value(const Safetensors& file, const std::string& path, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) throw Error(fmt::format("{}: its metadata has no '{}'", path, key));
  return found->second;
}

void save_checkpoint(const std::string& path, const TrainingState& state,
                     const std::map<std::string, std::string>& settings, Device device) {
  Safetensors file;
  append(file.tensors, "model.", state.model.state_dict());
  append(file.tensors, "optimizer.", state.optimizer.state_dict());
  append(file.tensors, "scheduler.", state.scheduler.state_dict());
  file.metadata = {{"settings", to_text(settings)},
                   {"history", to_json(state.history)},
                   {"generator", generator_text(default_generator())},
                   {"device", to_string(device)}};
  save_safetensors(path, file);
}

void load_checkpoint(const std::string& path, TrainingState& state,
                     const std::map<std::string, std::string>& settings) {
  const Safetensors file = load_safetensors(path);
  require_same_settings(settings, metadata_value(file, path, "settings"), path);
  state.history = history_of(file, path);
  naming_file(path, [&] {
    state.model.load_state_dict(extract(file.tensors, "model."));
    state.optimizer.load_state_dict(extract(file.tensors, "optimizer."));
    state.scheduler.load_state_dict(extract(file.tensors, "scheduler."));
  });
  restore_generator(metadata_value(file, path, "generator"), path);
}

History read_history(const std::string& path) { return history_of(load_safetensors(path), path); }

}  // namespace deft::support
