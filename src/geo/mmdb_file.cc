#include "geo/mmdb_file.h"

#include <array>
#include <optional>
#include <span>

#include "base/check.h"

namespace timepool::geo {
namespace {

constexpr std::string_view kMarker = "\xab\xcd\xefMaxMind.com";
// "Database Metadata": its greatest length, with the marker.
constexpr std::size_t kMaxMetadata = 128 * 1024;
// "Data Section Separator".
constexpr std::size_t kSeparator = 16;
constexpr std::uint64_t kFormat = 2;

std::optional<MmdbValue> member(const MmdbData& metadata, std::string_view name) {
  return metadata.find(0, std::span(&name, 1));
}

// A number of at most `most`; nothing when there is none.
std::optional<std::uint64_t> number(const MmdbData& metadata, std::string_view name,
                                    std::uint64_t most) {
  const auto value = member(metadata, name);
  const auto out = value ? metadata.number_of(*value) : std::nullopt;
  return out && *out <= most ? out : std::nullopt;
}

}  // namespace

std::string_view describe(MmdbFault fault) {
  switch (fault) {
    case MmdbFault::kEmpty:
      return "the file is empty";
    case MmdbFault::kMarker:
      return "it has no metadata";
    case MmdbFault::kMetadata:
      return "its metadata are damaged";
    case MmdbFault::kVersion:
      return "it is of another version of the format";
    case MmdbFault::kTree:
      return "its search tree is longer than the file";
  }
  return "";
}

Result<void, MmdbFault> MmdbFile::read_metadata(Bytes metadata) {
  const MmdbData data(metadata);
  const auto format = number(data, "binary_format_major_version", 0xffff);
  if (!format) return fail(MmdbFault::kMetadata);
  if (*format != kFormat) return fail(MmdbFault::kVersion);
  const auto nodes = number(data, "node_count", 0xffff'ffff);
  const auto record = number(data, "record_size", 32);
  const auto version = number(data, "ip_version", 6);
  const auto epoch = number(data, "build_epoch", ~std::uint64_t{0});
  const auto type = member(data, "database_type");
  if (!nodes || !record || !version || !epoch || !type) return fail(MmdbFault::kMetadata);
  const bool sizes = *record == 24 || *record == 28 || *record == 32;
  const bool versions = *version == 4 || *version == 6;
  const bool text = type->type == MmdbValue::Type::kText;
  if (*nodes == 0 || !sizes || !versions || !text) return fail(MmdbFault::kMetadata);
  node_count_ = static_cast<std::uint32_t>(*nodes);
  node_size_ = static_cast<std::size_t>(*record / 4);
  depth_ = *version == 4 ? 32 : 128;
  build_epoch_ = *epoch;
  type_ = data.text_of(*type);
  return {};
}

Result<MmdbFile, MmdbFault> MmdbFile::parse(std::string bytes) {
  if (bytes.empty()) return fail(MmdbFault::kEmpty);
  MmdbFile out(std::make_unique<const std::string>(std::move(bytes)));
  const std::string_view text = *out.bytes_;
  const std::size_t marker = text.rfind(kMarker);
  if (marker == std::string_view::npos || text.size() - marker > kMaxMetadata) {
    return fail(MmdbFault::kMarker);
  }
  const Bytes all = std::as_bytes(std::span(text));
  TRY(out.read_metadata(all.subspan(marker + kMarker.size())));
  // At most 2^35.
  const std::uint64_t tree = std::uint64_t{out.node_count_} * out.node_size_;
  if (tree + kSeparator > marker) return fail(MmdbFault::kTree);
  const auto size = static_cast<std::size_t>(tree);
  out.tree_ = all.first(size);
  out.data_ = MmdbData(all.first(marker).subspan(size + kSeparator));
  return out;
}

MmdbFile::Branch MmdbFile::branch(std::uint32_t node, bool bit) const {
  CHECK(node < node_count_);
  std::array<std::uint32_t, 8> octets{};
  for (std::size_t i = 0; i < node_size_; ++i) {
    octets[i] = std::to_integer<std::uint32_t>(tree_[node * node_size_ + i]);
  }
  // "Node Layout": 24 bits each; 28, of which the octet between has the highest four; 32.
  const std::size_t half = bit ? (node_size_ + 1) / 2 : 0;
  std::uint32_t record = octets[half] << 16 | octets[half + 1] << 8 | octets[half + 2];
  if (node_size_ == 7) record |= (bit ? octets[3] & 15 : octets[3] >> 4) << 24;
  if (node_size_ == 8) record = record << 8 | octets[half + 3];
  // A tree does not lead back to its root.
  if (record == 0) return {};
  if (record < node_count_) return {Branch::Kind::kNode, record};
  if (record == node_count_) return {Branch::Kind::kNothing, 0};
  if (record - node_count_ < kSeparator) return {};
  return {Branch::Kind::kRecord, record - node_count_ - static_cast<std::uint32_t>(kSeparator)};
}

}  // namespace timepool::geo
