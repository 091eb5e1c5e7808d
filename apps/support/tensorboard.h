// Event files that TensorBoard shows.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace deft::support {

/// Whether this build can write event files. Without the protobuf library, making an EventWriter throws Error.
bool can_write_events();

/// Appends to one new event file of a folder, which TensorBoard reads while it grows; the file tells it to forget what it
/// has read from earlier ones of that folder. The format is that of TensorFlow's TFRecordWriter and event.proto. Members
/// throw Error with the path and the system's reason.
class EventWriter {
 public:
  /// Makes events.out.tfevents.TIME.deft.N in the folder, which exists; N is the first number that is free.
  explicit EventWriter(const std::string& folder);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// Adds values, each with its tag ("accuracy/test"), at `step`, measured `seconds_ago`. They are in the file when this
  /// returns.
  void add_scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values,
                   double seconds_ago = 0);

  const std::string& path() const { return path_; }

 private:
  void append(const std::string& event);

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace deft::support
