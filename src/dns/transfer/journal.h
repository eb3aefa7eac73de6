// A zone's history as octets, for a file that grows: what other servers copied last and the
// differences that lead there, so that a restart neither forgets a serial nor makes anybody copy
// the whole zone. A change is added at the end; now and then the whole is written anew.
//
//   "timepool transfers 2\n", then frames: kind 1, length 4, content, digest 8
//
//   z   the zone: length 1 and name in wire form, then its SOA
//   r   records of it
//   p   a difference that led to it: the SOA before and the SOA after; the oldest first
//   n   a difference that leads on from what was before
//   -   records that the difference takes away, and then
//   +   records that it brings
//   e   the end of what belongs together: z r* (p -* +*)* e, then (n -* +* e)*
//
// Of a file that ends in the middle of such a group, or is damaged from there on, all before it
// holds. A digest is over its frame and the digest of the frame before, so that no frame stands for
// another. Records are sorted over all frames of one kind that follow each other; one is: length 1
// and owner in wire form (0: that of the record before in this frame), type 2, TTL 4, length 2 and
// data. Numbers are big-endian.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "dns/transfer/transfer.h"

namespace timepool::dns {

// Of a longer one the serial alone is known after a restart: who follows copies the zone whole.
// Signed zones of kMaxLabels names with one address each have a twentieth of it.
inline constexpr std::uint64_t kMaxJournal = std::uint64_t{4} << 30;
// Records go into a frame until it has as many octets; the last may have kMaxRdata more, and an
// owner.
inline constexpr std::size_t kFullFrame = std::size_t{64} << 10;
inline constexpr std::size_t kMaxFrame = kFullFrame + kMaxRdata + 512;

enum class JournalFault : std::uint8_t {
  kNotOurs,    // it does not begin like one
  kOldFormat,  // of a version of timepool that wrote it whole each time
  kTruncated,  // it ends before the end of a group
  kDigest,     // damaged
  kBadRecord,  // a record that no version of ours has, or records that do not follow each other
  kTooLong,    // than kMaxJournal
};
inline constexpr std::size_t kJournalFaultCount = 6;
std::string_view describe(JournalFault fault);

// Where a file is to go on.
struct JournalMark {
  std::uint64_t size = 0;    // octets of the file
  std::uint64_t base = 0;    // of which its first group has as many
  std::uint64_t digest = 0;  // of the last frame
  std::uint32_t serial = 0;  // that the last group leads to
};

// A frame's digest: `frame` is kind, length and content.
std::uint64_t frame_digest(std::uint64_t before, Bytes frame);

// Makes the octets and hands them on in pieces of about 1 MiB.
class JournalWriter {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    // False: it took nothing, and is asked no more.
    virtual bool take(Bytes octets) = 0;
  };

  // Both false when `sink` did not take all, or kMaxJournal was passed.
  // A whole file.
  bool write(const ZoneHistory& history, Sink& sink);
  // What is to be added to the file that ends with `mark`, whose serial is the difference's.
  bool write(const ZoneDifference& difference, const JournalMark& mark, Sink& sink);
  // After it: of the file as it is with what was handed on.
  const JournalMark& mark() const { return mark_; }
  bool too_long() const { return mark_.size > kMaxJournal; }

 private:
  void begin(char kind);
  void end();
  void flush();
  void number(std::uint64_t value, int width);
  void octets(Bytes in);
  void record(const TransferRecord& record, const TransferRecord* before);
  void records(char kind, const std::vector<TransferRecord>& records);
  void difference(char kind, const ZoneDifference& difference);

  Sink* sink_ = nullptr;
  JournalMark mark_;
  std::vector<std::byte> out_;
  std::size_t frame_ = 0;  // where it begins in `out_`
  bool ok_ = true;
};

// What a file says.
struct Journal {
  wire::dns::DnsName zone;
  std::shared_ptr<const ZoneHistory> history;
  // As far as it was taken.
  JournalMark mark;
  // Why what follows there was not; nothing: it was taken to its end.
  std::optional<JournalFault> rest;
};

// Reads one in pieces. Holds the version, the last differences, what those that were added change,
// and a piece.
class JournalReader {
 public:
  // The next octets. False: no more are wanted.
  bool feed(Bytes octets);
  // At the file's end, once. Errors: why not even its first group was taken.
  Result<Journal, JournalFault> finish();

 private:
  class Content;
  bool stop(JournalFault fault);
  bool take_magic();
  // Both: false at the end of what came, and after stop().
  bool take_frame();
  bool take(char kind, Content& content);
  bool begin_difference(char kind, Content& content);
  bool end_group();
  bool apply(const ZoneDifference& difference);
  bool has(const TransferRecord& record) const;
  void keep(std::shared_ptr<ZoneDifference> difference);
  std::vector<TransferRecord> merged();

  std::vector<std::byte> pending_;
  std::size_t used_ = 0;    // of `pending_`
  std::uint64_t size_ = 0;  // of all frames
  std::uint64_t digest_ = 0;
  bool begun_ = false;  // its first line was there
  std::optional<JournalFault> fault_;

  char group_ = 0;  // 0: between two; 'z' or 'n'
  char last_ = 0;   // kind of the last frame
  wire::dns::DnsName zone_;
  TransferRecord base_soa_;
  std::vector<TransferRecord> base_;
  // What the differences that were added make of `base_`: whether a record is there.
  std::map<TransferRecord, bool> changed_;
  TransferRecord soa_;                          // of the newest version
  std::shared_ptr<ZoneDifference> difference_;  // the one that is being read
  std::deque<std::shared_ptr<const ZoneDifference>> differences_;
  std::optional<JournalMark> mark_;
};

}  // namespace timepool::dns
