// Reading files of known length, plain or gzip-compressed, with every way of being damaged found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace deft {

/// The number in four bytes of a file, the highest first.
inline std::uint32_t from_big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

/// A binary file read from front to back; gzip data is unpacked on the way, its checksums verified. The first two
/// bytes say whether a file is gzip data, not its name: browsers unpack a download and leave .gz in its name, and
/// servers pack one without. Every error is an Error whose one line names the file, what was found and what was
/// expected. Sizes count unpacked bytes.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Whether the file holds gzip data.
  bool is_compressed() const { return unpacker_ != nullptr; }

  /// Bytes of the file as it lies on the disk.
  std::uint64_t size() const { return size_; }

  /// Throws Error unless the file can hold exactly `bytes` bytes: a plain file must be that long, a compressed one not
  /// too short for them. To be called before memory is taken for what a header promises; `why` explains the number.
  void expect_size(std::uint64_t bytes, const std::string& why) const;

  /// Reads the next `bytes` bytes. Throws Error if the file ends before or is damaged.
  void read(void* to, std::size_t bytes);

  /// Throws Error if anything follows what was read.
  void expect_end();

  /// Throws Error: the file's name, a colon and `what`.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  struct Unpacker;

  std::size_t read_some(unsigned char* to, std::size_t bytes);
  std::size_t read_raw(unsigned char* to, std::size_t bytes);

  const std::filesystem::path path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;  // unpacked bytes read
  std::unique_ptr<Unpacker> unpacker_;
};

}  // namespace deft
