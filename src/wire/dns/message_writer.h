// MessageWriter: builds one DNS message into a borrowed buffer, with name compression (RFC 1035
// 4.1.4), section counts and a limit. No allocation. What does not fit is refused as a whole and
// leaves the message as it was, so that the caller can drop a record or truncate.
//
//   MessageWriter writer(buffer, limit);
//   writer.header(header);
//   writer.question(name, type, klass);
//   writer.reserve(kOptSize);
//   if (!writer.address(Section::kAnswer, name, ttl, address)) writer.truncate();
//   writer.opt(edns, options);
//   send(writer.finish());
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/byte_writer.h"
#include "base/ip.h"
#include "base/static_vector.h"
#include "wire/dns/edns.h"
#include "wire/dns/header.h"
#include "wire/dns/name.h"
#include "wire/dns/rdata.h"

namespace timepool::wire::dns {

class MessageWriter {
 public:
  // Never writes more than `limit` bytes, nor more than the buffer has.
  explicit MessageWriter(MutableBytes buffer, std::size_t limit = kMaxMessage)
      : writer_(buffer.first(std::min({buffer.size(), limit, kMaxMessage}))) {}

  // First, once; CHECKs that it fits. The counts are filled in by finish().
  void header(const Header& header);
  // Before any record. False when it does not fit.
  [[nodiscard]] bool question(NameView name, RrType type, RrClass klass = RrClass::kIn);

  // Records, section by section (CHECKs the order). False when it does not fit, or when `rdata`
  // cannot be written (a TXT string too long, say): then nothing is written.
  [[nodiscard]] bool record(Section section, NameView owner, RrType type, RrClass klass,
                            std::uint32_t ttl, const Rdata& rdata);
  // A or AAAA, by the address.
  [[nodiscard]] bool address(Section section, NameView owner, std::uint32_t ttl,
                             const IpAddress& address);
  // `rdata` as it stands: no names in it are compressed.
  [[nodiscard]] bool raw(Section section, NameView owner, RrType type, RrClass klass,
                         std::uint32_t ttl, Bytes rdata);
  // OPT in the additional section; `options` is what write_option wrote. Uses up the reserve.
  [[nodiscard]] bool opt(const EdnsHeader& header, Bytes options = {});

  // Keeps `bytes` free behind the records, for opt(). False when they are not free.
  [[nodiscard]] bool reserve(std::size_t bytes);
  // Drops every record and sets TC: what a server sends when a needed RRset does not fit
  // (RFC 2181 9).
  void truncate();
  void set_truncated() { truncated_ = true; }

  // A place to go back to, so that an RRset is written whole or not at all.
  struct Mark {
    std::size_t size;
    std::size_t names;
    std::uint16_t counts[3];
    Section section;
  };
  Mark mark() const;
  void rewind(const Mark& mark);

  std::size_t size() const { return writer_.size(); }
  std::size_t remaining() const;
  // The message, its counts and TC in place.
  Bytes finish();

 private:
  // A name or the end of one that was written at `offset`.
  struct Known {
    std::uint16_t offset;
    std::uint16_t hash;
  };
  // Enough for the names of any answer of ours; past it, names are written in full.
  static constexpr std::size_t kMaxKnown = 128;

  void begin_record(Section section, NameView owner, RrType type, RrClass klass, std::uint32_t ttl);
  // Fills in the length, or undoes the record.
  bool end_record(std::size_t data_at, const Mark& start);
  // Where the name can be pointed to; 0 is nowhere.
  std::uint16_t write_name(NameView name);
  static std::uint16_t place_of(std::size_t offset);
  bool is_at(std::size_t offset, NameView name) const;
  void write_data(RrType type, const Rdata& rdata);

  ByteWriter writer_;
  StaticVector<Known, kMaxKnown> names_;
  std::size_t reserved_ = 0;
  std::size_t question_end_ = 0;  // 0 until there is a header
  std::size_t question_names_ = 0;
  std::uint16_t question_count_ = 0;
  std::uint16_t counts_[3] = {0, 0, 0};
  Section section_ = Section::kAnswer;
  std::uint16_t flags_ = 0;
  bool truncated_ = false;
  std::uint16_t last_owner_ = 0;
};

}  // namespace timepool::wire::dns
