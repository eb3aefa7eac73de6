// Zone transfers out (RFC 5936, RFC 1995): versions of a zone as lists of records, the last
// differences between them, and a machine that gives the messages of one transfer one by one.
//
// A pool's zone is not one set of records but a choice for each client. What is transferred of it
// is one representative set: of each label the records that a client of whom nothing is known may
// get, the heaviest first, as many as one answer has.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "dns/zone/zone.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dns {

struct TransferRecord {
  std::vector<std::byte> owner;  // wire form, lower case
  wire::dns::RrType type = wire::dns::RrType::kA;
  std::uint32_t ttl = 0;
  std::vector<std::byte> rdata;
  auto operator<=>(const TransferRecord&) const = default;
};

// A zone at one serial. Immutable.
struct ZoneVersion {
  wire::dns::DnsName origin;
  std::uint32_t serial = 0;
  TransferRecord soa;
  std::vector<TransferRecord> records;  // sorted, without the SOA
  std::size_t size = 0;                 // octets of them all, in wire form
};

// RFC 1982 3.2: whether serial `a` is after `b`.
constexpr bool is_after(std::uint32_t a, std::uint32_t b) {
  return a != b && a - b < 0x8000'0000U;
}
// The serial of what follows `last`, for a document of serial `document`: the document's where it
// goes on from there, else one more.
constexpr std::uint32_t next_serial(std::uint32_t last, std::uint32_t document) {
  return is_after(document, last) ? document : last + 1;
}

// Of `zone`, whose SOA expires after `longest_expire` seconds at the latest.
std::shared_ptr<const ZoneVersion> version_of(const Zone& zone,
                                              std::uint32_t longest_expire = 0xffff'ffff);
// As records of a message without compression.
std::size_t octets_of(const std::vector<TransferRecord>& records);
// Sorts the records, each once, and counts their octets.
void settle(ZoneVersion& version);
// The same zone at another serial.
std::shared_ptr<const ZoneVersion> with_serial(const ZoneVersion& version, std::uint32_t serial);
// Whether they differ in their serials alone.
bool same_data(const ZoneVersion& a, const ZoneVersion& b);

// What leads from one version to the next (RFC 1995 4).
struct ZoneDifference {
  TransferRecord from;
  TransferRecord to;
  std::uint32_t from_serial = 0;
  std::vector<TransferRecord> removed;
  std::vector<TransferRecord> added;
  std::size_t size = 0;
};

// The current version with the last differences that lead to it. Immutable: next() makes another.
class ZoneHistory {
 public:
  // RFC 1995 5 leaves open how many are kept; all together are no longer than the zone itself,
  // since a whole transfer is then the shorter one.
  static constexpr std::size_t kMaxDifferences = 64;

  explicit ZoneHistory(std::shared_ptr<const ZoneVersion> current) : current_(std::move(current)) {}
  // As it was kept: `differences` lead to `current` one by one; nullptr where they do not, or are
  // more than may be.
  static std::shared_ptr<const ZoneHistory> restore(
      std::shared_ptr<const ZoneVersion> current,
      std::vector<std::shared_ptr<const ZoneDifference>> differences);

  // With `version` as the current one. Where its serial is not after the one before, differences
  // have no meaning any more, and none are kept.
  std::shared_ptr<const ZoneHistory> next(std::shared_ptr<const ZoneVersion> version) const;

  const std::shared_ptr<const ZoneVersion>& current() const { return current_; }
  // The differences from `serial` on, in order; none where it is not among them.
  std::vector<std::shared_ptr<const ZoneDifference>> since(std::uint32_t serial) const;
  std::size_t difference_count() const { return differences_.size(); }
  const std::deque<std::shared_ptr<const ZoneDifference>>& differences() const {
    return differences_;
  }

 private:
  std::shared_ptr<const ZoneVersion> current_;
  std::deque<std::shared_ptr<const ZoneDifference>> differences_;
};

// What a transfer says: its records are a sequence over parts of versions.
class TransferMachine {
 public:
  // The question as it is repeated in the first message.
  struct Question {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;  // of the request; opcode and RD are copied
    wire::dns::DnsName name;
    wire::dns::RrType type = wire::dns::RrType::kAxfr;
    bool edns = false;  // the first message has an OPT (RFC 6891 6.1.1)
  };

  // The whole zone (RFC 5936 2.2).
  static TransferMachine whole(Question question, std::shared_ptr<const ZoneVersion> version);
  // What changed since `serial` (RFC 1995 4): the SOA alone when nothing did or the client is
  // ahead, the whole zone when the differences are not known.
  static TransferMachine changes(Question question, const ZoneHistory& history,
                                 std::uint32_t serial);

  // Writes the next message to `out`, which has room for 8,192 octets at the least; 0 when the last
  // one was written. Messages are filled, but for the last.
  std::size_t next(MutableBytes out);
  // Whether all is said in one record: what an answer by UDP may hold (RFC 1995 2).
  bool is_single() const { return parts_.size() == 1 && parts_[0].count() == 1; }
  // Whether differences are told, and not a whole zone.
  bool is_incremental() const { return !differences_.empty(); }

 private:
  // A run of records: one, or a list.
  struct Part {
    const TransferRecord* one = nullptr;
    const std::vector<TransferRecord>* many = nullptr;
    std::size_t count() const { return many == nullptr ? 1 : many->size(); }
    const TransferRecord& at(std::size_t index) const {
      return many == nullptr ? *one : (*many)[index];
    }
  };
  explicit TransferMachine(Question question) : question_(std::move(question)) {}
  void add(const TransferRecord& record) { parts_.push_back({&record, nullptr}); }
  void add(const std::vector<TransferRecord>& records) { parts_.push_back({nullptr, &records}); }
  void add_whole(std::shared_ptr<const ZoneVersion> version);

  Question question_;
  std::shared_ptr<const ZoneVersion> version_;
  std::vector<std::shared_ptr<const ZoneDifference>> differences_;
  std::vector<Part> parts_;
  std::size_t part_ = 0;
  std::size_t index_ = 0;
  bool first_ = true;
};

}  // namespace timepool::dns
