#include "dnssec/rrset.h"

#include <algorithm>
#include <array>
#include <set>

#include "wire/dns/rdata.h"

namespace timepool::dnssec {
namespace {

using wire::dns::Malformed;
using wire::dns::NameView;
using wire::dns::RrType;

// RFC 4034 6.2, as RFC 6840 5.1 has it: the types whose data has names to be lowered.
bool has_names(RrType type) {
  switch (type) {
    case RrType::kNs:
    case RrType::kCname:
    case RrType::kSoa:
    case RrType::kPtr:
    case RrType::kMx:
    case RrType::kSrv:
    case RrType::kDname:
    case RrType::kRrsig:
      return true;
    default:
      return false;
  }
}

Result<std::vector<std::byte>, Malformed> canonical(RrType type, Bytes rdata) {
  if (!has_names(type)) return std::vector<std::byte>(rdata.begin(), rdata.end());
  ByteReader reader(rdata);
  const auto parsed = wire::dns::parse_rdata(reader, type, rdata.size());
  if (!parsed.ok()) return fail(parsed.error());
  std::vector<std::byte> out(rdata.size());
  ByteWriter writer(out);
  wire::dns::write_rdata(writer, *parsed, wire::dns::NameForm::kCanonical);
  if (!writer.ok()) return fail(Malformed::kRdataLong);
  out.resize(writer.size());
  return out;
}

}  // namespace

std::uint8_t signed_labels(NameView owner) {
  // 127 at the most.
  return static_cast<std::uint8_t>(owner.label_count() - (owner.is_wildcard() ? 1 : 0));
}

void write_signed_record(ByteWriter& out, NameView owner, RrType type, std::uint32_t ttl,
                         Bytes canonical_data) {
  std::array<std::byte, wire::dns::kMaxName> lower;
  out.bytes(wire::dns::lower_into(owner, lower).wire());
  out.u16(static_cast<std::uint16_t>(type));
  out.u16(static_cast<std::uint16_t>(wire::dns::RrClass::kIn));
  out.u32(ttl);
  out.u16(static_cast<std::uint16_t>(canonical_data.size()));
  out.bytes(canonical_data);
}

Result<CanonicalRrset, Malformed> CanonicalRrset::create(RrType type, std::uint32_t ttl,
                                                         std::span<const Bytes> rdata) {
  std::vector<std::vector<std::byte>> data;
  data.reserve(rdata.size());
  for (const Bytes one : rdata) {
    auto form = canonical(type, one);
    if (!form.ok()) return fail(form.error());
    data.push_back(std::move(form).value());
  }
  std::vector<std::uint32_t> order(data.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  // RFC 4034 6.3: as left-justified unsigned octets, the shorter first.
  std::sort(order.begin(), order.end(),
            [&data](std::uint32_t a, std::uint32_t b) { return data[a] < data[b]; });
  CanonicalRrset out;
  out.type_ = type;
  out.ttl_ = ttl;
  out.rank_.resize(data.size());
  const std::vector<std::byte>* last = nullptr;
  for (const std::uint32_t index : order) {
    const std::vector<std::byte>& one = data[index];
    if (last == nullptr || *last != one) {
      out.starts_.push_back(static_cast<std::uint32_t>(out.bytes_.size()));
      out.bytes_.insert(out.bytes_.end(), one.begin(), one.end());
      out.longest_ = std::max(out.longest_, one.size());
      last = &one;
    }
    out.rank_[index] = static_cast<std::uint32_t>(out.starts_.size() - 1);
  }
  out.starts_.push_back(static_cast<std::uint32_t>(out.bytes_.size()));
  return out;
}

std::vector<Bytes> CanonicalRrset::sorted(std::span<const std::uint32_t> records) const {
  std::set<std::uint32_t> places;
  for (const std::uint32_t record : records) places.insert(rank_[record]);
  std::vector<Bytes> out;
  for (const std::uint32_t place : places) out.push_back(data(place));
  return out;
}

void CanonicalRrset::write(NameView owner, std::span<const std::uint32_t> records, ByteWriter& out,
                           std::vector<std::uint32_t>& order) const {
  order.clear();
  for (const std::uint32_t record : records) order.push_back(rank_[record]);
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  for (const std::uint32_t place : order) {
    write_signed_record(out, owner, type_, ttl_, data(place));
  }
}

}  // namespace timepool::dnssec
