// TensorBoard's event files, taken apart by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "deft/core/file.h"

#include "catch.h"

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

/// CRC-32C bit by bit, as RFC 3720 defines it, and TFRecord's mask.
inline std::uint32_t masked_crc(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/// The records of a file, their checksums checked.
inline std::vector<std::string> records_of(const std::string& path) {
  const std::string file = deft::read_file(path);
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = number_at<std::uint64_t>(file, at);
    REQUIRE(at + 16 + length <= file.size());
    CHECK(number_at<std::uint32_t>(file, at + 8) == masked_crc(file.substr(at, 8)));
    records.push_back(file.substr(at + 12, length));
    CHECK(number_at<std::uint32_t>(file, at + 12 + length) == masked_crc(records.back()));
    at += 16 + length;
  }
  return records;
}

/// A field of a message of protobuf: a number, or the bytes of a text or of a message inside.
struct Field {
  std::uint64_t number = 0, value = 0;
  std::string bytes = {};
};

inline std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const std::uint64_t key = varint(), kind = key & 7;
    Field field{.number = key >> 3};
    if (kind == 0) {
      field.value = varint();
    } else {
      const std::size_t length = kind == 1 ? 8 : kind == 5 ? 4 : varint();
      field.bytes = message.substr(at, length);
      at += length;
    }
    fields.push_back(field);
  }
  return fields;
}

struct Scalar {
  std::uint64_t step = 0;
  std::string tag = {};
  float value = 0;
  double wall_time = 0;
};

/// The scalars of an event file in its order.
inline std::vector<Scalar> scalars_of(const std::string& path) {
  std::vector<Scalar> scalars;
  for (const std::string& record : records_of(path)) {
    Scalar scalar;
    for (const Field& field : fields_of(record)) {
      if (field.number == 1) scalar.wall_time = number_at<double>(field.bytes, 0);
      if (field.number == 2) scalar.step = field.value;
      if (field.number != 5) continue;
      for (const Field& value : fields_of(field.bytes)) {
        for (const Field& part : fields_of(value.bytes)) {
          if (part.number == 1) scalar.tag = part.bytes;
          if (part.number == 2) scalar.value = number_at<float>(part.bytes, 0);
        }
        scalars.push_back(scalar);
      }
    }
  }
  return scalars;
}
