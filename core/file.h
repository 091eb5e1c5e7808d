// Reading files whole and writing them so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deft {

/// A file that appears under its name all at once: it is written under a temporary name beside it, then commit() syncs
/// and renames it. Destroyed without commit(), it leaves nothing behind and the old file untouched. A new file has the
/// mode that the process's mask leaves of 0666; one that replaces another has its mode, and its owner and group where
/// the process may give them. Where the name is a symbolic link, the file that it leads to is written and the link
/// stays. Anything but a regular file, a device, a pipe or /dev/stdout, is written to at once. Every failure throws Error
/// with the path and the system's reason; so does a file that may not be written to.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;

  std::string path_, target_;
  std::string temporary_;  // empty where the target itself is written to
  int descriptor_ = -1;
};

/// Writes a whole file atomically.
void write_file(const std::string& path, std::string_view contents);

/// The contents of a file. Throws Error with the path and the system's reason.
std::string read_file(const std::string& path);

}  // namespace deft
