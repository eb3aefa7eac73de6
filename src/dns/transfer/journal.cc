#include "dns/transfer/journal.h"

#include <algorithm>

#include "base/check.h"
#include "base/siphash.h"
#include "dns/transfer/zone_export.h"

namespace timepool::dns {
namespace {

using wire::dns::NameView;
using wire::dns::RrType;

constexpr std::string_view kMagic = "timepool transfers 1\n";
constexpr std::size_t kDigestSize = 8;
// Length of the owner, type, TTL, length of the data.
constexpr std::size_t kRecordHead = 1 + 2 + 4 + 2;
// A record's least size, by which a count that can't be true is known before anything is made.
constexpr std::size_t kLeastRecord = kRecordHead;

std::uint64_t digest_of(Bytes bytes) {
  constexpr SiphashKey kKey{0x7472'616e'7366'6572, 0x6a6f'7572'6e61'6c31};
  return siphash24(kKey, bytes);
}

class Writer {
 public:
  void octets(Bytes in) { out_.insert(out_.end(), in.begin(), in.end()); }
  void number(std::uint64_t value, int width) {
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<std::byte>(value >> shift & 0xff));
    }
  }
  void name(Bytes wire) {
    number(wire.size(), 1);
    octets(wire);
  }
  // One that begins anew: its owner is written.
  void record(const TransferRecord& record) { put(record, nullptr); }
  void records(const std::vector<TransferRecord>& records) {
    number(records.size(), 4);
    const TransferRecord* before = nullptr;
    for (const TransferRecord& it : records) {
      put(it, before);
      before = &it;
    }
  }
  std::size_t size() const { return out_.size(); }
  std::vector<std::byte> finish() {
    number(digest_of(out_), kDigestSize);
    return std::move(out_);
  }

 private:
  void put(const TransferRecord& record, const TransferRecord* before) {
    if (before != nullptr && before->owner == record.owner) {
      number(0, 1);
    } else {
      name(record.owner);
    }
    number(static_cast<std::uint64_t>(record.type), 2);
    number(record.ttl, 4);
    number(record.rdata.size(), 2);
    octets(record.rdata);
  }

  std::vector<std::byte> out_;
};

void write_head(Writer& out, const ZoneVersion& version, bool whole) {
  out.octets(std::as_bytes(std::span(kMagic)));
  out.number(whole ? 1 : 0, 1);
  out.name(version.origin.wire());
  out.number(version.serial, 4);
}

std::vector<std::byte> serial_alone(const ZoneVersion& version) {
  Writer out;
  write_head(out, version, false);
  return out.finish();
}

// Reads with a sticky error, as the ByteReader that it is over.
class Reader {
 public:
  explicit Reader(Bytes bytes) : in_(bytes) {}

  bool ok() const { return in_.ok(); }
  bool at_end() const { return in_.remaining() == 0; }
  std::uint64_t number(int width) {
    return width == 1 ? in_.u8() : width == 2 ? in_.u16() : in_.u32();
  }
  // Empty: there is none, or it is no name in lower case.
  std::vector<std::byte> name() {
    const Bytes wire = in_.bytes(in_.u8());
    if (!ok() || wire.empty()) return {};
    ByteReader reader(wire);
    const auto name = wire::dns::parse_plain_name(reader);
    if (!name.ok() || reader.remaining() != 0 ||
        !same_bytes(*name, wire::dns::lowered(*name).view())) {
      in_.fail();
      return {};
    }
    return {wire.begin(), wire.end()};
  }
  TransferRecord record(const TransferRecord* before) {
    TransferRecord out;
    out.owner = name();
    if (out.owner.empty() && before != nullptr) out.owner = before->owner;
    if (out.owner.empty()) in_.fail();
    out.type = static_cast<RrType>(in_.u16());
    out.ttl = in_.u32();
    const Bytes rdata = in_.bytes(in_.u16());
    if (rdata.size() > kMaxRdata || out.ttl > kMaxTtl || wire::dns::is_meta(out.type)) in_.fail();
    out.rdata.assign(rdata.begin(), rdata.end());
    return out;
  }
  // The zone's SOA.
  TransferRecord soa(const wire::dns::DnsName& zone) {
    TransferRecord out = record(nullptr);
    // Two names are two octets at the least.
    const bool right = out.type == RrType::kSoa && out.rdata.size() >= kSoaNumbers + 2 &&
                       std::ranges::equal(out.owner, zone.wire());
    if (!right) in_.fail();
    return out;
  }
  // Sorted, each once, and all in the zone.
  std::vector<TransferRecord> records(const wire::dns::DnsName& zone) {
    std::vector<TransferRecord> out;
    const std::uint64_t count = number(4);
    if (count > in_.remaining() / kLeastRecord) in_.fail();
    if (!ok()) return out;
    out.reserve(count);
    for (std::uint64_t i = 0; i < count && ok(); ++i) {
      TransferRecord next = record(out.empty() ? nullptr : &out.back());
      if (!ok()) break;
      const bool right = NameView::from_valid_wire(next.owner).is_within(zone) &&
                         next.type != RrType::kSoa && (out.empty() || out.back() < next);
      if (!right) in_.fail();
      out.push_back(std::move(next));
    }
    return out;
  }

 private:
  ByteReader in_;
};

std::uint32_t serial_of(const TransferRecord& soa) {
  ByteReader reader(soa.rdata);
  reader.seek(soa.rdata.size() - kSoaNumbers);
  return reader.u32();
}

std::shared_ptr<const ZoneHistory> read_history(Reader& in, const Journal& head) {
  auto version = std::make_shared<ZoneVersion>();
  version->origin = head.zone;
  version->serial = head.serial;
  version->soa = in.soa(head.zone);
  version->records = in.records(head.zone);
  if (!in.ok() || serial_of(version->soa) != head.serial) return nullptr;
  version->size = octets_of(version->records);
  std::vector<std::shared_ptr<const ZoneDifference>> differences;
  const std::uint64_t count = in.number(1);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    auto difference = std::make_shared<ZoneDifference>();
    difference->from = in.soa(head.zone);
    difference->to = in.soa(head.zone);
    difference->removed = in.records(head.zone);
    difference->added = in.records(head.zone);
    if (!in.ok()) return nullptr;
    difference->from_serial = serial_of(difference->from);
    difference->size = octets_of(difference->removed) + octets_of(difference->added);
    differences.push_back(std::move(difference));
  }
  if (!in.ok()) return nullptr;
  return ZoneHistory::restore(std::move(version), std::move(differences));
}

}  // namespace

std::string_view describe(JournalFault fault) {
  switch (fault) {
    case JournalFault::kNotOurs:
      return "no journal of transfers of this version";
    case JournalFault::kTruncated:
      return "the file is cut off";
    case JournalFault::kDigest:
      return "the file is damaged";
    case JournalFault::kBadRecord:
      return "a record in it can't be";
    case JournalFault::kTooLong:
      return "the file is too long";
  }
  return "";
}

std::vector<std::byte> format_journal(const ZoneHistory& history, std::size_t most) {
  const ZoneVersion& version = *history.current();
  Writer out;
  write_head(out, version, true);
  out.record(version.soa);
  out.records(version.records);
  out.number(history.differences().size(), 1);
  for (const auto& difference : history.differences()) {
    out.record(difference->from);
    out.record(difference->to);
    out.records(difference->removed);
    out.records(difference->added);
  }
  if (out.size() + kDigestSize > most) return serial_alone(version);
  return out.finish();
}

bool is_serial_alone(Bytes journal) {
  return journal[kMagic.size()] == std::byte{0};
}

Result<Journal, JournalFault> parse_journal(Bytes bytes) {
  if (bytes.size() > kMaxJournal) return fail(JournalFault::kTooLong);
  const Bytes magic = std::as_bytes(std::span(kMagic));
  const std::size_t common = std::min(bytes.size(), magic.size());
  if (!std::ranges::equal(bytes.first(common), magic.first(common))) {
    return fail(JournalFault::kNotOurs);
  }
  if (bytes.size() < magic.size() + 1 + kDigestSize) return fail(JournalFault::kTruncated);
  const Bytes content = bytes.first(bytes.size() - kDigestSize);
  ByteReader digest(bytes.subspan(content.size()));
  if (digest.u64() != digest_of(content)) return fail(JournalFault::kDigest);
  Reader in(content.subspan(magic.size()));
  Journal out;
  const std::uint64_t flags = in.number(1);
  const std::vector<std::byte> zone = in.name();
  out.serial = static_cast<std::uint32_t>(in.number(4));
  if (!in.ok() || zone.empty() || flags > 1) return fail(JournalFault::kBadRecord);
  out.zone = NameView::from_valid_wire(zone);
  if (flags == 1) {
    out.history = read_history(in, out);
    if (out.history == nullptr) return fail(JournalFault::kBadRecord);
  }
  if (!in.at_end()) return fail(JournalFault::kTooLong);
  return out;
}

}  // namespace timepool::dns
