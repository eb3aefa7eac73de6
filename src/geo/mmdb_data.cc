#include "geo/mmdb_data.h"

#include <array>
#include <bit>
#include <charconv>
#include <vector>

namespace timepool::geo {
namespace {

using Type = MmdbValue::Type;

// How many octets a value of the type may have; nothing for types that there are not.
struct Sizes {
  bool known = false;
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};
constexpr std::uint32_t kAny = 0xffff'ffff;
// By the number of the type, "Data Field Format".
constexpr std::array<Sizes, 16> kSizes = {{
    {},
    {},  // pointers are read another way
    {true, 0, kAny},
    {true, 8, 8},
    {true, 0, kAny},
    {true, 0, 2},
    {true, 0, 4},
    {true, 0, kAny},
    {true, 0, 4},
    {true, 0, 8},
    {true, 0, 16},
    {true, 0, kAny},
    {},
    {},
    {true, 0, 1},
    {true, 4, 4},
}};

// "Payload Calculation": sizes of 29 and more go on in one to three octets.
std::uint32_t size_of(unsigned control, ByteReader& in) {
  const std::uint32_t size = control & 31;
  if (size < 29) return size;
  if (size == 29) return 29U + in.u8();
  if (size == 30) return 285U + in.u16();
  const std::uint32_t high = in.u8();
  return 65'821U + (high << 16 | in.u16());
}

// "pointer - 1": two bits of length, three of the value.
std::size_t target_of(unsigned control, ByteReader& in) {
  const std::size_t high = control & 7;
  switch (control >> 3 & 3) {
    case 0:
      return high << 8 | in.u8();
    case 1:
      return 2048 + (high << 16 | in.u16());
    case 2: {
      const std::size_t middle = in.u8();
      return 526'336 + (high << 24 | middle << 16 | in.u16());
    }
    default:
      return in.u32();
  }
}

}  // namespace

std::optional<MmdbData::Field> MmdbData::field_at(std::size_t offset) const {
  ByteReader in(section_);
  in.seek(offset);
  const unsigned control = in.u8();
  unsigned type = control >> 5;
  Field out;
  if (type == 1) {
    out.value = {Type::kPointer, 0, target_of(control, in)};
    out.next = in.position();
    return in.ok() ? std::optional(out) : std::nullopt;
  }
  if (type == 0) type = 7U + in.u8();
  if (!in.ok() || type >= kSizes.size() || !kSizes[type].known) return std::nullopt;
  out.value.type = static_cast<Type>(type);
  out.value.size = size_of(control, in);
  if (out.value.size < kSizes[type].least || out.value.size > kSizes[type].most) {
    return std::nullopt;
  }
  out.value.at = in.position();
  const bool holds = out.value.type == Type::kMap || out.value.type == Type::kArray;
  // A boolean's size is its value.
  if (!holds && out.value.type != Type::kBoolean) in.skip(out.value.size);
  out.next = in.position();
  return in.ok() ? std::optional(out) : std::nullopt;
}

// The value itself, or what it points to: pointers to pointers are none.
std::optional<MmdbValue> MmdbData::behind(const MmdbValue& value) const {
  if (value.type != Type::kPointer) return value;
  const auto field = field_at(value.at);
  if (!field || field->value.type == Type::kPointer) return std::nullopt;
  return field->value;
}

// Where the value at `offset` ends with all that it holds. A count of what is still to come does
// for any depth.
std::optional<std::size_t> MmdbData::after(std::size_t offset, int& budget) const {
  for (std::uint64_t left = 1; left > 0; --left) {
    const auto field = field_at(offset);
    if (!field || --budget < 0) return std::nullopt;
    if (field->value.type == Type::kMap) left += std::uint64_t{2} * field->value.size;
    if (field->value.type == Type::kArray) left += field->value.size;
    offset = field->next;
  }
  return offset;
}

bool MmdbData::is_sound(std::size_t offset) const {
  std::vector<std::size_t> beginnings = {offset};  // at most as many as there are values
  int budget = kMaxValues;
  while (!beginnings.empty()) {
    offset = beginnings.back();
    beginnings.pop_back();
    for (std::uint64_t left = 1; left > 0; --left) {
      const auto field = field_at(offset);
      if (!field || --budget < 0 || !behind(field->value)) return false;
      if (field->value.type == Type::kPointer) beginnings.push_back(field->value.at);
      if (field->value.type == Type::kMap) left += std::uint64_t{2} * field->value.size;
      if (field->value.type == Type::kArray) left += field->value.size;
      offset = field->next;
    }
  }
  return true;
}

std::optional<MmdbValue> MmdbData::entry_of(const MmdbValue& map, std::string_view key,
                                            int& budget) const {
  std::size_t at = map.at;
  for (std::uint32_t i = 0; i < map.size; ++i) {
    const auto field = field_at(at);
    if (!field || --budget < 0) return std::nullopt;
    const auto name = behind(field->value);
    if (!name || name->type != Type::kText) return std::nullopt;
    if (text_of(*name) == key) {
      const auto found = field_at(field->next);
      return found ? behind(found->value) : std::nullopt;
    }
    const auto next = after(field->next, budget);
    if (!next) return std::nullopt;
    at = *next;
  }
  return std::nullopt;
}

std::optional<MmdbValue> MmdbData::item_of(const MmdbValue& array, std::string_view index,
                                           int& budget) const {
  std::uint32_t wanted = 0;
  const char* end = index.data() + index.size();
  const auto [stop, error] = std::from_chars(index.data(), end, wanted);
  if (error != std::errc() || stop != end || wanted >= array.size) return std::nullopt;
  std::size_t at = array.at;
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const auto next = after(at, budget);
    if (!next) return std::nullopt;
    at = *next;
  }
  const auto found = field_at(at);
  return found ? behind(found->value) : std::nullopt;
}

std::optional<MmdbValue> MmdbData::find(std::size_t offset, Path path) const {
  const auto field = field_at(offset);
  std::optional<MmdbValue> value = field ? behind(field->value) : std::nullopt;
  int budget = kMaxValues;
  for (const std::string_view step : path) {
    if (!value) return std::nullopt;
    if (value->type == Type::kMap) {
      value = entry_of(*value, step, budget);
    } else if (value->type == Type::kArray) {
      value = item_of(*value, step, budget);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

std::string_view MmdbData::text_of(const MmdbValue& value) const {
  if (value.type != Type::kText) return {};
  const Bytes octets = section_.subspan(value.at, value.size);
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

std::optional<std::uint64_t> MmdbData::number_of(const MmdbValue& value) const {
  switch (value.type) {
    case Type::kUint16:
    case Type::kUint32:
    case Type::kUint64:
      break;
    default:
      return std::nullopt;
  }
  std::uint64_t out = 0;
  for (const std::byte octet : section_.subspan(value.at, value.size)) {
    out = out << 8 | std::to_integer<std::uint64_t>(octet);
  }
  return out;
}

std::optional<double> MmdbData::real_of(const MmdbValue& value) const {
  ByteReader in(section_);
  in.seek(value.at);
  if (value.type == Type::kDouble) return std::bit_cast<double>(in.u64());
  if (value.type == Type::kFloat) return static_cast<double>(std::bit_cast<float>(in.u32()));
  return std::nullopt;
}

}  // namespace timepool::geo
