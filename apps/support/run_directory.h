// The folder that a training run writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deft::support {

/// The files of a run. All are written whole or not at all.
class RunDirectory {
 public:
  explicit RunDirectory(std::string path) : path_(std::move(path)) {}
  /// Makes the folder, and those above it, unless it is there. Throws Error with the path and the system's reason.
  void create() const;

  /// Throws Error, which says that this is not the folder of a run, unless one of its files is there.
  void require(const std::string& file) const;

  /// Removes all that an earlier run has left, its checkpoint first. Throws Error with the path and the system's
  /// reason.
  void remove_results() const;

  /// Removes the event files for TensorBoard that runs in this folder have made. Throws Error likewise.
  void remove_events() const;

  const std::string& path() const { return path_; }
  std::string config() const { return file("config.json"); }    ///< settings; --config reads it
  std::string log() const { return file("log.csv"); }           ///< a line per epoch
  std::string summary() const { return file("summary.json"); }  ///< results
  std::string report() const { return file("report.html"); }    ///< all of it on one page
  std::string loss_chart() const { return file("loss.png"); }   ///< curves of training and test
  std::string accuracy_chart() const { return file("accuracy.png"); }
  std::string graph() const { return file("graph.dot"); }                ///< the net's operations, drawn by `dot`
  std::string best_weights() const { return file("best.safetensors"); }  ///< of the epoch with the best test accuracy
  std::string last_weights() const { return file("last.safetensors"); }
  /// The weights of one epoch, kept besides the best and the last.
  std::string snapshot(std::int64_t epoch) const { return file("epoch-" + std::to_string(epoch) + ".safetensors"); }
  std::string checkpoint() const { return file("checkpoint.safetensors"); }  ///< all that resuming needs

 private:
  std::vector<std::string> files(std::string_view pattern) const;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  std::string path_;
};

}  // namespace deft::support
