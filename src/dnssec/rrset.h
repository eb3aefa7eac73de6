// CanonicalRrset: the data of one record set in the form and order that signatures are over
// (RFC 4034 6.2 and 6.3). It is made once; any part of the set, under any owner, can then be
// written as what an RRSIG covers. A plain value.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"
#include "wire/dns/constants.h"
#include "wire/dns/malformed.h"
#include "wire/dns/name.h"

namespace timepool::dnssec {

class CanonicalRrset {
 public:
  // `rdata` is that of each record, without compression, in the order by which they are named
  // afterwards. Errors: data that is none of `type`.
  static Result<CanonicalRrset, wire::dns::Malformed> create(wire::dns::RrType type,
                                                             std::uint32_t ttl,
                                                             std::span<const Bytes> rdata);

  wire::dns::RrType type() const { return type_; }
  std::uint32_t ttl() const { return ttl_; }
  std::size_t size() const { return rank_.size(); }

  // The most octets that write() takes for `count` records of this set.
  std::size_t written_at_most(wire::dns::NameView owner, std::size_t count) const {
    return count * (owner.size() + 10 + longest_);
  }
  // The data of the records with the indexes `records`, in canonical form and order, equal ones
  // once.
  std::vector<Bytes> sorted(std::span<const std::uint32_t> records) const;
  // The records with the indexes `records` (each once) as RR(1) | RR(2) | ... of RFC 4034 3.1.8.1:
  // sorted, equal ones once, the owner in lower case, the TTL the original one. `order` is scratch
  // for the caller to keep.
  void write(wire::dns::NameView owner, std::span<const std::uint32_t> records, ByteWriter& out,
             std::vector<std::uint32_t>& order) const;

 private:
  Bytes data(std::uint32_t sorted) const {
    return Bytes(bytes_).subspan(starts_[sorted], starts_[sorted + 1] - starts_[sorted]);
  }

  wire::dns::RrType type_ = wire::dns::RrType::kA;
  std::uint32_t ttl_ = 0;
  std::size_t longest_ = 0;
  std::vector<std::uint32_t> rank_;    // by record: its place in the order, equal data alike
  std::vector<std::uint32_t> starts_;  // by place, and the end
  std::vector<std::byte> bytes_;       // in canonical order
};

// Labels of an owner as RRSIG counts them: without the root and a leading "*" (RFC 4034 3.1.3).
std::uint8_t signed_labels(wire::dns::NameView owner);

// One record as write() has it: owner in lower case, type, class IN, TTL, length and data.
void write_signed_record(ByteWriter& out, wire::dns::NameView owner, wire::dns::RrType type,
                         std::uint32_t ttl, Bytes canonical_data);

}  // namespace timepool::dnssec
