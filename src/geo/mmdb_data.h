// MmdbData: the values of a MaxMind DB's data section (format 2.0, "Output Data Section") or of its
// metadata, read where they lie. Whatever the octets are, nothing outside them is read, nothing
// recurses, and each call ends: a value that is damaged counts as absent. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/byte_reader.h"

namespace timepool::geo {

struct MmdbValue {
  // As the format numbers them. Its 12 and 13 belong to files of other kinds.
  enum class Type : std::uint8_t {
    kPointer = 1,
    kText = 2,
    kDouble = 3,
    kOctets = 4,
    kUint16 = 5,
    kUint32 = 6,
    kMap = 7,
    kInt32 = 8,
    kUint64 = 9,
    kUint128 = 10,
    kArray = 11,
    kBoolean = 14,
    kFloat = 15,
  };
  Type type{};
  std::uint32_t size = 0;  // octets; of a map or an array its entries
  std::size_t at = 0;      // where the octets or the first entry begin; what a pointer points to
};

class MmdbData {
 public:
  // Values of one record, with those that it points to: a city's in eight languages has 100.
  static constexpr int kMaxValues = 8192;

  explicit MmdbData(Bytes section) : section_(section) {}

  // Whether the record at `offset` lies wholly in the section, has at most kMaxValues, and points
  // to nothing but values.
  bool is_sound(std::size_t offset) const;

  // What `path` leads to from the value at `offset`: by keys of maps, and in arrays by numbers
  // ("0"). Never a pointer.
  using Path = std::span<const std::string_view>;
  std::optional<MmdbValue> find(std::size_t offset, Path path) const;

  // Of a value that find() gave. "" when it is no text.
  std::string_view text_of(const MmdbValue& value) const;
  // Nothing when it is no unsigned number of at most 64 bits.
  std::optional<std::uint64_t> number_of(const MmdbValue& value) const;
  // Nothing when it is neither double nor float.
  std::optional<double> real_of(const MmdbValue& value) const;

 private:
  struct Field {
    MmdbValue value;
    std::size_t next = 0;  // behind it; the first entry of a map or an array
  };
  std::optional<Field> field_at(std::size_t offset) const;
  std::optional<MmdbValue> behind(const MmdbValue& value) const;
  std::optional<std::size_t> after(std::size_t offset, int& budget) const;
  std::optional<MmdbValue> entry_of(const MmdbValue& map, std::string_view key, int& budget) const;
  std::optional<MmdbValue> item_of(const MmdbValue& array, std::string_view index,
                                   int& budget) const;

  Bytes section_;
};

}  // namespace timepool::geo
