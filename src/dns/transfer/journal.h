// A zone's history as octets, for a file: what other servers copied last and the differences that
// lead there, so that a restart neither forgets a serial nor makes anybody copy the whole zone.
//
//   "timepool transfers 1\n"
//   flags             1 octet: 1: records and differences follow, 0: the serial is all there is
//   zone              length 1, name in wire form
//   serial            4
//   SOA               a record
//   records           count 4, records sorted
//   differences       count 1, each: SOA before, SOA after, what goes (count 4, records), what
//   comes digest            8, of all before it
//
// A record: length 1 and owner in wire form (0: that of the record before), type 2, TTL 4, length 2
// and data. Numbers are big-endian.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "dns/transfer/transfer.h"

namespace timepool::dns {

// Of a longer one the serial alone is kept: after a restart those who follow copy the zone whole.
inline constexpr std::size_t kMaxJournal = std::size_t{256} << 20;

enum class JournalFault : std::uint8_t {
  kNotOurs,    // it does not begin like one
  kTruncated,  // it ends before its digest
  kDigest,     // damaged
  kBadRecord,  // a record that no version of ours has, or records that do not follow each other
  kTooLong,    // than kMaxJournal, or with more behind it
};
inline constexpr std::size_t kJournalFaultCount = 5;
std::string_view describe(JournalFault fault);

struct Journal {
  wire::dns::DnsName zone;
  std::uint32_t serial = 0;
  std::shared_ptr<const ZoneHistory> history;  // null: the serial is all that is known
};

// At most `most` octets: with the serial alone where the history is longer.
std::vector<std::byte> format_journal(const ZoneHistory& history, std::size_t most = kMaxJournal);
// Whether that is so of what format_journal() made.
bool is_serial_alone(Bytes journal);
Result<Journal, JournalFault> parse_journal(Bytes bytes);

}  // namespace timepool::dns
