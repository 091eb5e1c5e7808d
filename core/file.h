// Reading files whole and writing them so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deft {

/// A file that appears under its name all at once: it is written beside it under a temporary name, which commit() syncs
/// and renames. Destroyed without commit(), it leaves nothing behind and the old file untouched. Every failure throws
/// Error with the path and the system's reason.
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

  std::string path_, temporary_;
  int descriptor_ = -1;
};

/// Writes a whole file atomically.
void write_file(const std::string& path, std::string_view contents);

/// The contents of a file. Throws Error with the path and the system's reason.
std::string read_file(const std::string& path);

}  // namespace deft
