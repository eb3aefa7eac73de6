#include "geo/mmdb_writer.h"

#include <algorithm>
#include <bit>

namespace timepool::geo {
namespace {

// MaxMind DB format 2.0, "Data section separator" and the control byte's types.
enum class Type : unsigned char {
  kText = 2,
  kDouble = 3,
  kUint16 = 5,
  kUint32 = 6,
  kMap = 7,
  kUint64 = 9,
  kArray = 11
};
constexpr std::size_t kSeparator = 16;

std::string head(Type type, std::size_t size) {
  std::string out;
  const auto number = static_cast<unsigned>(type);
  // Sizes of 29 and more go on in the next byte; 284 is the most that one byte gives.
  const std::size_t in_head = std::min<std::size_t>(size, 29);
  if (number <= 7) {
    out += static_cast<char>(number << 5 | in_head);
  } else {
    out += static_cast<char>(in_head);
    out += static_cast<char>(number - 7);
  }
  if (in_head == 29) out += static_cast<char>(size - 29);
  return out;
}

std::string text_value(std::string_view text) {
  const std::string_view cut = text.substr(0, 284);
  return head(Type::kText, cut.size()) + std::string(cut);
}

std::string number_value(Type type, std::uint64_t value) {
  std::string bytes;
  for (; value != 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<char>(value & 0xff));
  return head(type, bytes.size()) + bytes;
}

void put24(std::string& out, std::uint64_t value) {
  out += static_cast<char>(value >> 16 & 0xff);
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

}  // namespace

MmdbMap& MmdbMap::text(std::string key, std::string value) {
  fields_.emplace_back(std::move(key), text_value(value));
  return *this;
}

MmdbMap& MmdbMap::number(std::string key, std::uint32_t value) {
  fields_.emplace_back(std::move(key), number_value(Type::kUint32, value));
  return *this;
}

MmdbMap& MmdbMap::real(std::string key, double value) {
  std::string bytes;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(bits >> shift & 0xff);
  fields_.emplace_back(std::move(key), head(Type::kDouble, bytes.size()) + bytes);
  return *this;
}

MmdbMap& MmdbMap::list(std::string key, const std::vector<MmdbMap>& values) {
  std::string bytes = head(Type::kArray, values.size());
  for (const MmdbMap& value : values) bytes += value.encoded();
  fields_.emplace_back(std::move(key), std::move(bytes));
  return *this;
}

MmdbMap& MmdbMap::map(std::string key, const MmdbMap& value) {
  fields_.emplace_back(std::move(key), value.encoded());
  return *this;
}

std::string MmdbMap::encoded() const {
  std::string out = head(Type::kMap, fields_.size());
  for (const auto& [key, value] : fields_) out += text_value(key) + value;
  return out;
}

void MmdbWriter::add(const Prefix& prefix, const MmdbMap& record) {
  records_.push_back(record.encoded());
  const std::int64_t value = -2 - (static_cast<std::int64_t>(records_.size()) - 1);
  // IPv4 lies under ::/96.
  const int zeros = prefix.base().is_v4() ? 96 : 0;
  const int length = std::max(zeros + prefix.length(), 1);
  std::size_t node = 0;
  for (int depth = 0;; ++depth) {
    const bool bit = depth >= zeros && prefix.base().bit(depth - zeros);
    const std::int64_t next = nodes_[node].child[bit];
    if (depth + 1 == length) {
      nodes_[node].child[bit] = value;
      return;
    }
    if (next < 0) {
      Node split;
      split.child[0] = split.child[1] = next;
      nodes_[node].child[bit] = static_cast<std::int64_t>(nodes_.size());
      nodes_.push_back(split);
    }
    node = static_cast<std::size_t>(nodes_[node].child[bit]);
  }
}

Result<std::string> MmdbWriter::finish(std::uint64_t build_epoch) const {
  std::string data;
  std::vector<std::size_t> offsets;
  std::map<std::string, std::size_t> known;
  for (const std::string& record : records_) {
    const auto [at, added] = known.try_emplace(record, data.size());
    if (added) data += record;
    offsets.push_back(at->second);
  }
  if (nodes_.size() + kSeparator + data.size() >= 1U << 24) {
    return fail(Error{ErrorCode::kExhausted, "write a MaxMind DB", "more than 24 bits address"});
  }
  std::string out;
  for (const Node& node : nodes_) {
    for (const std::int64_t child : node.child) {
      if (child >= 0) {
        put24(out, static_cast<std::uint64_t>(child));
      } else if (child == kEmpty) {
        put24(out, nodes_.size());
      } else {
        put24(out, nodes_.size() + kSeparator + offsets[static_cast<std::size_t>(-2 - child)]);
      }
    }
  }
  out.append(kSeparator, '\0');
  out += data;
  out += "\xab\xcd\xefMaxMind.com";
  out += head(Type::kMap, 9);
  const auto field = [&out](std::string_view key, const std::string& value) {
    out += text_value(key) + value;
  };
  field("binary_format_major_version", number_value(Type::kUint16, 2));
  field("binary_format_minor_version", number_value(Type::kUint16, 0));
  field("build_epoch", number_value(Type::kUint64, build_epoch));
  field("database_type", text_value(type_));
  field("description", head(Type::kMap, 0));
  field("ip_version", number_value(Type::kUint16, 6));
  field("languages", head(Type::kArray, 0));
  field("node_count", number_value(Type::kUint32, nodes_.size()));
  field("record_size", number_value(Type::kUint16, 24));
  return out;
}

}  // namespace timepool::geo
