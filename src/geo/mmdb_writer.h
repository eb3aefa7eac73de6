// MmdbWriter: makes a small MaxMind DB file, with 24-bit records and whatever layout of record the
// caller wants. For tests and for address plans of one's own (a private pool's networks).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace timepool::geo {

// A record as the format's data: a map of texts, numbers, maps and lists of maps.
class MmdbMap {
 public:
  MmdbMap& text(std::string key, std::string value);
  MmdbMap& number(std::string key, std::uint32_t value);
  MmdbMap& real(std::string key, double value);
  MmdbMap& map(std::string key, const MmdbMap& value);
  // At most 28 of them.
  MmdbMap& list(std::string key, const std::vector<MmdbMap>& values);
  // The bytes of the data section.
  std::string encoded() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;  // key, encoded value
};

class MmdbWriter {
 public:
  explicit MmdbWriter(std::string type) : type_(std::move(type)) {}

  // A later network replaces what it covers of an earlier one.
  void add(const Prefix& prefix, const MmdbMap& record);
  // The file. Errors: kExhausted past 2^24 nodes and bytes of data together.
  Result<std::string> finish(std::uint64_t build_epoch) const;

 private:
  struct Node {
    // >= 0: a node; kEmpty; below: the record -2 - value.
    std::int64_t child[2] = {-1, -1};
  };
  static constexpr std::int64_t kEmpty = -1;

  std::string type_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<std::string> records_;
};

}  // namespace timepool::geo
