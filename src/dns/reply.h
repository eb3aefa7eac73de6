// Reply: one answer in the making. The question stands first as it was sent, with the case of its
// letters; records are copied behind it while they fit; OPT and the header come last. Whatever is
// put, it never grows beyond its limit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/byte_reader.h"
#include "dns/extended_error.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dns {

class Reply {
 public:
  // `out` holds at least 512 bytes.
  explicit Reply(MutableBytes out) : out_(out) {}

  // Takes header and question over from `datagram`. Question and records together will have at most
  // `limit` bytes; OPT comes behind and must have its room there.
  void begin(Bytes datagram, std::size_t question_end, std::size_t limit) {
    question_end_ = size_ = question_end;
    limit_ = limit;
    std::memcpy(out_.data(), datagram.data(), size_);
  }

  // Where the next record will stand.
  std::size_t size() const { return size_; }
  Bytes written() const { return Bytes(out_).first(size_); }
  // Something that belongs to the answer did not fit: nothing more is put, and finish() sends the
  // question alone (RFC 2181 9: no partial record set).
  bool truncated() const { return truncated_; }
  bool has_records() const { return size_ > question_end_; }
  std::uint16_t count(wire::dns::Section section) const { return counts_[index(section)]; }

  // One record with its head; its owner becomes a pointer to `owner_at`. False when it does not
  // fit: then the reply is truncated, unless the section is the additional one.
  bool put(wire::dns::Section section, Bytes record, std::size_t owner_at) {
    if (!fits(section, record.size(), owner_at)) return false;
    copy(out_.data() + size_, record.data(), record.size());
    put16(size_, 0xc000 | owner_at);
    size_ += record.size();
    ++counts_[index(section)];
    return true;
  }
  // Those records of a table of equally large ones whose numbers `some` has, all of one owner,
  // whose offset they have if it is 12; together or not at all.
  bool put_some(wire::dns::Section section, Bytes table, std::size_t stride,
                std::span<const std::uint32_t> some, std::size_t owner_at) {
    if (!fits(section, some.size() * stride, owner_at)) return false;
    std::byte* const to = out_.data() + size_;
    if (stride == kSizeOfA) {
      copy_some<kSizeOfA>(to, table.data(), some);
    } else if (stride == kSizeOfAaaa) {
      copy_some<kSizeOfAaaa>(to, table.data(), some);
    } else {
      for (std::size_t i = 0; i < some.size(); ++i) {
        copy(to + i * stride, table.data() + some[i] * stride, stride);
      }
    }
    if (owner_at != wire::dns::kHeaderSize) point_owners(size_, stride, some.size(), owner_at);
    size_ += some.size() * stride;
    auto& counted = counts_[index(section)];
    counted = static_cast<std::uint16_t>(counted + some.size());
    return true;
  }
  // One record in two parts, as above.
  bool put(wire::dns::Section section, Bytes front, Bytes back, std::size_t owner_at) {
    if (!fits(section, front.size() + back.size(), owner_at)) return false;
    std::memcpy(out_.data() + size_, front.data(), front.size());
    std::memcpy(out_.data() + size_ + front.size(), back.data(), back.size());
    put16(size_, 0xc000 | owner_at);
    size_ += front.size() + back.size();
    ++counts_[index(section)];
    return true;
  }
  // `count` records behind each other, all of one owner; they are put together or not at all.
  bool put_all(wire::dns::Section section, Bytes records, std::size_t count, std::size_t owner_at);

  // A name in the reply that stands uncompressed at `at`: the question's, or one in the data of a
  // record that was put.
  wire::dns::NameView name_at(std::size_t at) const;
  // Of a record that was put at `at`.
  wire::dns::RrType type_of_record(std::size_t at) const {
    return static_cast<wire::dns::RrType>(get16(at + 2));
  }
  std::size_t owner_of_record(std::size_t at) const { return get16(at) & 0x3fff; }
  std::size_t end_of_record(std::size_t at) const { return at + kRecordHead + get16(at + 10); }

  // Where a reply stood, for additional records that are taken back when their set does not fit.
  struct Mark {
    std::size_t size = 0;
    std::uint16_t additional = 0;
  };
  Mark mark() const { return {size_, counts_[index(wire::dns::Section::kAdditional)]}; }
  void take_back(const Mark& mark) {
    size_ = mark.size;
    counts_[index(wire::dns::Section::kAdditional)] = mark.additional;
  }

  void truncate() { truncated_ = true; }
  void set_rcode(wire::dns::Rcode rcode) { rcode_ = rcode; }
  wire::dns::Rcode rcode() const { return rcode_; }
  void set_authoritative(bool authoritative) { authoritative_ = authoritative; }
  bool authoritative() const { return authoritative_; }
  // RFC 7871 7.2.1: the answer depends on this many bits of the client's subnet.
  void need_scope(std::uint8_t bits) { scope_ = bits > scope_ ? bits : scope_; }
  std::uint8_t scope() const { return scope_; }
  // RFC 9824 5.1: the answer is of a zone whose denials are compact, which the option tells those
  // who understand them.
  void set_compact() { compact_ = true; }
  bool compact() const { return compact_; }
  // RFC 8914: for the option, where the query has EDNS and there is room. The last one counts.
  void set_extended_error(ExtendedCode code) { extended_error_ = code; }
  std::optional<ExtendedCode> extended_error() const { return extended_error_; }

  // Drops the records of a truncated reply. Then OPT is to be written to rest() and given to
  // finish(), which puts the header: the id stands there already.
  void close();
  MutableBytes rest() const { return out_.subspan(size_); }
  // The size of the whole.
  std::size_t finish(std::uint16_t query_flags, bool question, std::size_t opt_size);

 private:
  // Owner, type, class, TTL, length.
  static constexpr std::size_t kRecordHead = 12;

  static constexpr std::size_t kSizeOfA = kRecordHead + 4;
  static constexpr std::size_t kSizeOfAaaa = kRecordHead + 16;
  template <std::size_t kSize>
  static void copy_some(std::byte* to, const std::byte* table,
                        std::span<const std::uint32_t> some) {
    for (const std::uint32_t number : some) {
      std::memcpy(to, table + number * kSize, kSize);
      to += kSize;
    }
  }
  // Most records have 16 octets (A) or 28 (AAAA): no call for those.
  static void copy(std::byte* to, const std::byte* from, std::size_t size) {
    if (size < 16 || size > 32) {
      std::memcpy(to, from, size);
      return;
    }
    std::array<std::byte, 16> head;
    std::array<std::byte, 16> tail;
    std::memcpy(head.data(), from, 16);
    std::memcpy(tail.data(), from + size - 16, 16);
    std::memcpy(to, head.data(), 16);
    std::memcpy(to + size - 16, tail.data(), 16);
  }
  static std::size_t index(wire::dns::Section section) { return static_cast<std::size_t>(section); }

  bool fits(wire::dns::Section section, std::size_t bytes, std::size_t owner_at) {
    // RFC 1035 4.1.4: a pointer has 14 bits. Only long answers by TCP go beyond.
    if (!truncated_ && size_ + bytes <= limit_ && owner_at <= 0x3fff) return true;
    if (section != wire::dns::Section::kAdditional) truncated_ = true;
    return false;
  }
  void point_owners(std::size_t at, std::size_t stride, std::size_t count, std::size_t owner_at) {
    for (std::size_t i = 0; i < count; ++i) put16(at + i * stride, 0xc000 | owner_at);
  }
  void put16(std::size_t at, std::size_t value) {
    const auto swapped = static_cast<std::uint16_t>(value << 8 | (value >> 8 & 0xff));
    std::memcpy(out_.data() + at, &swapped, 2);
  }
  std::size_t get16(std::size_t at) const {
    return std::to_integer<std::size_t>(out_[at]) << 8 | std::to_integer<std::size_t>(out_[at + 1]);
  }

  MutableBytes out_;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;
  std::size_t question_end_ = wire::dns::kHeaderSize;
  std::array<std::uint16_t, 3> counts_{};
  wire::dns::Rcode rcode_ = wire::dns::Rcode::kNoError;
  std::optional<ExtendedCode> extended_error_;
  std::uint8_t scope_ = 0;
  bool authoritative_ = false;
  bool truncated_ = false;
  bool compact_ = false;
};

}  // namespace timepool::dns
