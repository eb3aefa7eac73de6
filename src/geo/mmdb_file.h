// MmdbFile: a MaxMind DB (format 2.0) in memory: its metadata, its search tree and its data.
// parse() refuses what does not fit together; beyond it the tree and the records may be damaged
// still, and then say so. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"
#include "geo/mmdb_data.h"

namespace timepool::geo {

enum class MmdbFault : std::uint8_t {
  kEmpty,     // no octets at all
  kMarker,    // no metadata in its last 128 KiB
  kMetadata,  // a member that must be there is not, or has another kind or a senseless value
  kVersion,   // of another format than 2
  kTree,      // the search tree is longer than the file
};
std::string_view describe(MmdbFault fault);

class MmdbFile {
 public:
  static Result<MmdbFile, MmdbFault> parse(std::string bytes);

  // Where a branch of the tree leads.
  struct Branch {
    enum class Kind : std::uint8_t {
      kNode,     // on to the node `value`
      kNothing,  // to no record
      kRecord,   // to the one at `value` in data()
      kDamaged,  // back to the root, or out of the file
    };
    Kind kind = Kind::kDamaged;
    std::uint32_t value = 0;
  };
  // Of a node below node_count(), the root being 0, by the next bit of the address.
  Branch branch(std::uint32_t node, bool bit) const;

  const MmdbData& data() const { return data_; }
  // Bits of the addresses in the tree: 32, or 128 with IPv4 below ::/96.
  int depth() const { return depth_; }
  std::uint32_t node_count() const { return node_count_; }
  // The metadata's database_type, for example "GeoLite2-Country".
  const std::string& type() const { return type_; }
  // Unix seconds.
  std::uint64_t build_epoch() const { return build_epoch_; }

 private:
  explicit MmdbFile(std::unique_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  Result<void, MmdbFault> read_metadata(Bytes metadata);

  std::unique_ptr<const std::string> bytes_;
  Bytes tree_;
  MmdbData data_{{}};
  std::uint32_t node_count_ = 0;
  std::size_t node_size_ = 0;  // octets
  int depth_ = 0;
  std::string type_;
  std::uint64_t build_epoch_ = 0;
};

}  // namespace timepool::geo
