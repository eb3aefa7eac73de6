#include "dns/transfer/journal.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/siphash.h"
#include "dns/transfer/zone_export.h"

namespace timepool::dns {
namespace {

using wire::dns::NameView;
using wire::dns::RrType;

constexpr std::string_view kMagic = "timepool transfers 2\n";
constexpr std::string_view kOldMagic = "timepool transfers 1\n";
constexpr std::size_t kFrameHead = 1 + 4;
constexpr std::size_t kDigestSize = 8;
constexpr std::size_t kPiece = std::size_t{1} << 20;

std::uint32_t serial_of(const TransferRecord& soa) {
  ByteReader reader(soa.rdata);
  reader.seek(soa.rdata.size() - kSoaNumbers);
  return reader.u32();
}

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

std::string_view describe(JournalFault fault) {
  switch (fault) {
    case JournalFault::kNotOurs:
      return "it is no journal of transfers";
    case JournalFault::kOldFormat:
      return "it is of an earlier version of timepool, and is not read any more";
    case JournalFault::kTruncated:
      return "it is cut off";
    case JournalFault::kDigest:
      return "it is damaged";
    case JournalFault::kBadRecord:
      return "a record in it can't be";
    case JournalFault::kTooLong:
      return "it is too long";
  }
  return "";
}

std::uint64_t frame_digest(std::uint64_t before, Bytes frame) {
  return siphash24({0x7472'616e'7366'6572, before}, frame);
}

void JournalWriter::number(std::uint64_t value, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
    out_.push_back(static_cast<std::byte>(value >> shift & 0xff));
  }
}

void JournalWriter::octets(Bytes in) {
  out_.insert(out_.end(), in.begin(), in.end());
}

void JournalWriter::begin(char kind) {
  frame_ = out_.size();
  number(static_cast<std::uint8_t>(kind), 1);
  number(0, 4);
}

void JournalWriter::end() {
  const std::size_t length = out_.size() - frame_ - kFrameHead;
  CHECK(length <= kMaxFrame);
  for (std::size_t i = 0; i < 4; ++i) {
    out_[frame_ + 1 + i] = static_cast<std::byte>(length >> (24 - 8 * i) & 0xff);
  }
  mark_.digest = frame_digest(mark_.digest, Bytes(out_).subspan(frame_));
  number(mark_.digest, kDigestSize);
  if (out_.size() >= kPiece) flush();
}

void JournalWriter::flush() {
  mark_.size += out_.size();
  ok_ = ok_ && !too_long() && sink_->take(out_);
  out_.clear();
}

void JournalWriter::record(const TransferRecord& record, const TransferRecord* before) {
  if (before != nullptr && before->owner == record.owner) {
    number(0, 1);
  } else {
    number(record.owner.size(), 1);
    octets(record.owner);
  }
  number(static_cast<std::uint64_t>(record.type), 2);
  number(record.ttl, 4);
  number(record.rdata.size(), 2);
  octets(record.rdata);
}

void JournalWriter::records(char kind, const std::vector<TransferRecord>& records) {
  const TransferRecord* before = nullptr;
  for (const TransferRecord& it : records) {
    if (!ok_) return;
    if (before == nullptr) begin(kind);
    record(it, before);
    before = &it;
    if (out_.size() - frame_ < kFullFrame) continue;
    end();
    before = nullptr;
  }
  if (before != nullptr) end();
}

void JournalWriter::difference(char kind, const ZoneDifference& difference) {
  begin(kind);
  record(difference.from, nullptr);
  record(difference.to, nullptr);
  end();
  records('-', difference.removed);
  records('+', difference.added);
}

bool JournalWriter::write(const ZoneHistory& history, Sink& sink) {
  sink_ = &sink;
  mark_ = {};
  const ZoneVersion& version = *history.current();
  octets(bytes_of(kMagic));
  begin('z');
  number(version.origin.wire().size(), 1);
  octets(version.origin.wire());
  record(version.soa, nullptr);
  end();
  records('r', version.records);
  for (const auto& it : history.differences()) difference('p', *it);
  begin('e');
  end();
  flush();
  mark_.base = mark_.size;
  mark_.serial = version.serial;
  return ok_;
}

bool JournalWriter::write(const ZoneDifference& next, const JournalMark& mark, Sink& sink) {
  CHECK(next.from_serial == mark.serial);
  sink_ = &sink;
  mark_ = mark;
  difference('n', next);
  begin('e');
  end();
  flush();
  mark_.serial = serial_of(next.to);
  return ok_;
}

// A frame's content, with the sticky error of the ByteReader that it is over.
class JournalReader::Content {
 public:
  explicit Content(Bytes bytes) : in_(bytes) {}

  bool ok() const { return in_.ok(); }
  bool at_end() const { return in_.remaining() == 0; }
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
  // To the frame's end, behind those in `out`: sorted, each once, and all in the zone.
  void records(const wire::dns::DnsName& zone, std::vector<TransferRecord>& out) {
    const TransferRecord* before = nullptr;
    while (ok() && !at_end()) {
      TransferRecord next = record(before);
      const bool right = ok() && NameView::from_valid_wire(next.owner).is_within(zone) &&
                         next.type != RrType::kSoa && (out.empty() || out.back() < next);
      if (!right) {
        in_.fail();
        return;
      }
      out.push_back(std::move(next));
      before = &out.back();
    }
  }

 private:
  ByteReader in_;
};

bool JournalReader::stop(JournalFault fault) {
  fault_ = fault;
  return false;
}

bool JournalReader::feed(Bytes octets) {
  if (fault_) return false;
  if (octets.size() > kMaxJournal - std::min(kMaxJournal, size_ + pending_.size())) {
    return stop(JournalFault::kTooLong);
  }
  pending_.insert(pending_.end(), octets.begin(), octets.end());
  if (begun_ || take_magic()) {
    while (take_frame()) {
    }
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  return !fault_;
}

bool JournalReader::take_magic() {
  const auto begins_like = [this](std::string_view magic) {
    const std::size_t common = std::min(pending_.size(), magic.size());
    return std::ranges::equal(Bytes(pending_).first(common), bytes_of(magic).first(common));
  };
  if (!begins_like(kMagic)) {
    return stop(begins_like(kOldMagic) ? JournalFault::kOldFormat : JournalFault::kNotOurs);
  }
  if (pending_.size() < kMagic.size()) return false;
  begun_ = true;
  used_ = size_ = kMagic.size();
  return true;
}

bool JournalReader::take_frame() {
  const Bytes rest = Bytes(pending_).subspan(used_);
  ByteReader head(rest);
  const char kind = static_cast<char>(head.u8());
  const std::size_t length = head.u32();
  if (!head.ok()) return false;
  if (length > kMaxFrame) return stop(JournalFault::kDigest);
  const std::size_t whole = kFrameHead + length;
  if (rest.size() < whole + kDigestSize) return false;
  head.skip(length);
  const std::uint64_t digest = frame_digest(digest_, rest.first(whole));
  if (head.u64() != digest) return stop(JournalFault::kDigest);
  digest_ = digest;
  used_ += whole + kDigestSize;
  size_ += whole + kDigestSize;
  Content content(rest.subspan(kFrameHead, length));
  if (!take(kind, content) || !content.ok() || !content.at_end()) {
    return stop(JournalFault::kBadRecord);
  }
  return true;
}

// Which kinds may follow which: see the head of journal.h.
bool JournalReader::take(char kind, Content& content) {
  const char before = std::exchange(last_, kind);
  switch (kind) {
    case 'z': {
      if (mark_ || group_ != 0) return false;
      const std::vector<std::byte> name = content.name();
      if (name.empty()) return false;
      zone_ = NameView::from_valid_wire(name);
      base_soa_ = content.soa(zone_);
      group_ = 'z';
      return true;
    }
    case 'r':
      if (before != 'z' && before != 'r') return false;
      content.records(zone_, base_);
      return true;
    case 'p':
    case 'n':
      return begin_difference(kind, content);
    case '-':
      if (difference_ == nullptr || before == '+') return false;
      content.records(zone_, difference_->removed);
      return true;
    case '+':
      if (difference_ == nullptr) return false;
      content.records(zone_, difference_->added);
      return true;
    case 'e':
      return end_group();
    default:
      return false;
  }
}

bool JournalReader::begin_difference(char kind, Content& content) {
  if (kind == 'p' ? group_ != 'z' : group_ != 0 || !mark_) return false;
  if (difference_ != nullptr) keep(std::exchange(difference_, nullptr));
  difference_ = std::make_shared<ZoneDifference>();
  difference_->from = content.soa(zone_);
  difference_->to = content.soa(zone_);
  if (!content.ok()) return false;
  difference_->from_serial = serial_of(difference_->from);
  if (kind == 'n') group_ = 'n';
  return true;
}

bool JournalReader::end_group() {
  const char group = std::exchange(group_, 0);
  const std::shared_ptr<ZoneDifference> difference = std::exchange(difference_, nullptr);
  if (group == 0) return false;
  if (group == 'z') {
    soa_ = base_soa_;
    if (difference != nullptr) keep(difference);
    // Those that led here follow each other.
    auto version = std::make_shared<ZoneVersion>();
    version->soa = base_soa_;
    if (!ZoneHistory::restore(version, {differences_.begin(), differences_.end()})) return false;
    mark_ = JournalMark{size_, size_, digest_, serial_of(soa_)};
    return true;
  }
  if (!apply(*difference)) return false;
  keep(difference);
  mark_ = JournalMark{size_, mark_->base, digest_, serial_of(soa_)};
  return true;
}

bool JournalReader::has(const TransferRecord& record) const {
  const auto changed = changed_.find(record);
  if (changed != changed_.end()) return changed->second;
  return std::binary_search(base_.begin(), base_.end(), record);
}

bool JournalReader::apply(const ZoneDifference& difference) {
  const bool follows =
      difference.from == soa_ && is_after(serial_of(difference.to), difference.from_serial);
  const auto there = [this](const TransferRecord& it) { return has(it); };
  if (!follows || !std::ranges::all_of(difference.removed, there) ||
      std::ranges::any_of(difference.added, there)) {
    return false;
  }
  for (const TransferRecord& it : difference.removed) changed_[it] = false;
  for (const TransferRecord& it : difference.added) changed_[it] = true;
  soa_ = difference.to;
  return true;
}

void JournalReader::keep(std::shared_ptr<ZoneDifference> difference) {
  difference->size = octets_of(difference->removed) + octets_of(difference->added);
  differences_.push_back(std::move(difference));
  if (differences_.size() > ZoneHistory::kMaxDifferences) differences_.pop_front();
}

// The records of the newest version.
std::vector<TransferRecord> JournalReader::merged() {
  if (changed_.empty()) return std::move(base_);
  std::vector<TransferRecord> out;
  auto change = changed_.begin();
  for (TransferRecord& it : base_) {
    for (; change != changed_.end() && change->first < it; ++change) {
      if (change->second) out.push_back(change->first);
    }
    const bool same = change != changed_.end() && change->first == it;
    if (!same || change->second) out.push_back(std::move(it));
    if (same) ++change;
  }
  for (; change != changed_.end(); ++change) {
    if (change->second) out.push_back(change->first);
  }
  return out;
}

Result<Journal, JournalFault> JournalReader::finish() {
  const bool ends_here = pending_.empty() && group_ == 0;
  if (!fault_ && !ends_here) fault_ = JournalFault::kTruncated;
  if (!mark_) return fail(fault_.value_or(JournalFault::kTruncated));
  auto version = std::make_shared<ZoneVersion>();
  version->origin = zone_;
  version->serial = mark_->serial;
  version->soa = soa_;
  version->records = merged();
  version->size = octets_of(version->records);
  std::size_t size = 0;
  for (const auto& it : differences_) size += it->size;
  while (!differences_.empty() && size > version->size) {
    size -= differences_.front()->size;
    differences_.pop_front();
  }
  Journal out;
  out.zone = zone_;
  out.history =
      ZoneHistory::restore(std::move(version), {differences_.begin(), differences_.end()});
  CHECK(out.history != nullptr);
  out.mark = *mark_;
  out.rest = fault_;
  return out;
}

}  // namespace timepool::dns
