#include "dns/signed/online_signer.h"

#include <algorithm>
#include <cstring>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/prng.h"
#include "dns/signed/denial.h"
#include "dnssec/rrsig.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::dns {
namespace {

using dnssec::Lifetime;
using dnssec::ZoneKey;
using wire::dns::NameView;
using wire::dns::RrType;

constexpr std::size_t kRecordHead = 12;
constexpr std::uint32_t kAsLongAsGood = 0x7fff'ffff;
// In place of a bitmap's hash, above any TTL.
constexpr std::uint64_t kNoName = std::uint64_t{1} << 32;
constexpr std::uint64_t kNoKeys = std::uint64_t{2} << 32;
// What is signed repeats the owner, where an answer has a pointer.
constexpr std::size_t kMaxData =
    OnlineSigner::kMaxAnswer + OnlineSigner::kMaxRecords * wire::dns::kMaxName;

void write_head(ByteWriter& out, RrType type, std::uint32_t ttl, std::size_t size) {
  out.u16(0xc00c);
  out.u16(static_cast<std::uint16_t>(type));
  out.u16(static_cast<std::uint16_t>(wire::dns::RrClass::kIn));
  out.u32(ttl);
  out.u16(static_cast<std::uint16_t>(size));
}

bool signs_data(const ZoneKey& key) {
  return key.signs_data && key.signer != nullptr;
}

}  // namespace

OnlineSigner::OnlineSigner(std::uint64_t seed)
    : entries_(make_zeroed<Entry>(kEntries)),
      answer_(new std::byte[kMaxAnswer]),
      data_(new std::byte[kMaxData]) {
  Prng prng(seed);
  secret_ = {prng.next(), prng.next()};
}

std::size_t OnlineSigner::memory() const {
  return kEntries * sizeof(Entry) + kMaxAnswer + kMaxData + sizeof(*this);
}

// Names come from strangers: without the secret none can find two of one key. What else it depends
// on they can't choose.
std::uint64_t OnlineSigner::key_of(const Request& request, std::uint64_t what) const {
  const std::uint64_t name = siphash24(secret_, request.name.wire());
  const std::uint64_t key = siphash13(secret_, name, what ^ request.state.signers);
  return key == 0 ? 1 : key;
}

bool OnlineSigner::find(std::uint64_t key, const Request& request, std::uint32_t longest,
                        Answer& out) {
  const Entry& entry = entries_[key % kEntries];
  // An NSEC of a usual name with its RRSIG is some 200 octets long.
  for (std::size_t line = 1; line < 4; ++line) {
    __builtin_prefetch(reinterpret_cast<const std::byte*>(&entry) + line * 64);
  }
  const Head& head = entry.head;
  if (head.key != key ||
      !dnssec::still_good(head.signed_at, request.now, Lifetime::kPool, request.state.times)) {
    return false;
  }
  if (static_cast<std::int32_t>(request.now - head.signed_at) >
      static_cast<std::int32_t>(longest)) {
    return false;
  }
  ++counts_.from_cache;
  const Bytes octets(entry.octets);
  out = {Status::kReady, octets.first(head.size), head.count};
  if (head.drawn == 0) return true;
  std::memcpy(drawn_.data(), octets.data() + head.size, std::size_t{head.drawn} * 2);
  out.drawn = std::span(drawn_).first(head.drawn);
  return true;
}

bool OnlineSigner::spend(const Request& request, std::size_t signatures) {
  Budget& budget = budgets_[static_cast<std::size_t>(request.client)];
  if (budget.second != request.now) budget = {request.now, 0};
  if (budget.used + signatures > request.per_second) {
    ++counts_.limited;
    return false;
  }
  budget.used += static_cast<std::uint32_t>(signatures);
  return true;
}

OnlineSigner::Answer OnlineSigner::sign(const Request& request, std::uint64_t key,
                                        const Rrset& rrset) {
  const auto& keys = request.state.keys->keys;
  const auto signers =
      static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), signs_data));
  if (!spend(request, signers)) return {Status::kLimited, {}, 0};
  ByteWriter out(MutableBytes(answer_.get(), kMaxAnswer));
  for (const Bytes data : rrset.data) {
    write_head(out, rrset.type, rrset.ttl, data.size());
    out.bytes(data);
  }
  const auto labels = static_cast<std::uint8_t>(request.name.label_count());
  const auto validity = dnssec::validity_from(request.now, Lifetime::kPool, request.state.times);
  for (const ZoneKey& one : keys) {
    if (!signs_data(one)) continue;
    ByteWriter data(MutableBytes(data_.get(), kMaxData));
    dnssec::write_rrsig_head(data, {rrset.type, labels, rrset.ttl, validity}, one, request.zone);
    const std::size_t head = data.size();
    for (const Bytes record : rrset.data) {
      dnssec::write_signed_record(data, request.name, rrset.type, rrset.ttl, record);
    }
    std::array<std::byte, dnssec::kSignatureSize> signature;
    if (!data.ok() || !one.signer->sign(data.written(), signature)) {
      ++counts_.failed;
      return {Status::kFailed, {}, 0};
    }
    ++counts_.signatures;
    write_head(out, RrType::kRrsig, rrset.ttl, head + signature.size());
    out.bytes(data.written().first(head));
    out.bytes(signature);
  }
  if (!out.ok()) {
    ++counts_.failed;
    return {Status::kFailed, {}, 0};
  }
  const Answer answer{Status::kReady, out.written(),
                      static_cast<std::uint8_t>(rrset.data.size() + signers), rrset.drawn};
  keep(key, request.now, answer);
  return answer;
}

void OnlineSigner::keep(std::uint64_t key, std::uint32_t now, const Answer& answer) {
  const std::size_t size = answer.records.size();
  if (size + answer.drawn.size_bytes() > kRoom) return;
  Entry& entry = entries_[key % kEntries];
  entry.head = {key, now, static_cast<std::uint16_t>(size), answer.count,
                static_cast<std::uint8_t>(answer.drawn.size())};
  std::memcpy(entry.octets.data(), answer.records.data(), size);
  if (answer.drawn.empty()) return;
  std::memcpy(entry.octets.data() + size, answer.drawn.data(), answer.drawn.size_bytes());
}

OnlineSigner::Answer OnlineSigner::sign_nsec(const Request& request, std::uint64_t key,
                                             Bytes bitmap) {
  std::array<std::byte, kMaxNsec> rdata;
  ByteWriter nsec(rdata);
  nsec.bytes(successor(request.name, request.zone).wire());
  nsec.bytes(bitmap);
  CHECK(nsec.ok());  // no bitmap is longer
  const Bytes data = nsec.written();
  return sign(request, key, {RrType::kNsec, request.state.nsec_ttl, {&data, 1}});
}

OnlineSigner::Answer OnlineSigner::deny(const Request& request, Bytes bitmap) {
  const std::uint64_t key = key_of(request, siphash24(secret_, bitmap) ^ request.state.nsec_ttl);
  Answer kept;
  return find(key, request, kAsLongAsGood, kept) ? kept : sign_nsec(request, key, bitmap);
}

OnlineSigner::Answer OnlineSigner::deny_types(const Request& request, std::uint64_t what,
                                              std::span<const RrType> types) {
  const std::uint64_t key = key_of(request, what ^ request.state.nsec_ttl);
  Answer kept;
  if (find(key, request, kAsLongAsGood, kept)) return kept;
  std::array<std::byte, 34> bitmap;
  ByteWriter writer(bitmap);
  wire::dns::write_type_bitmap(writer, types);
  return sign_nsec(request, key, writer.written());
}

OnlineSigner::Answer OnlineSigner::deny_name(const Request& request) {
  return deny_types(request, kNoName, types_of_no_name());
}

OnlineSigner::Answer OnlineSigner::deny_keys(const Request& request) {
  static constexpr std::array kTypes{RrType::kNs, RrType::kRrsig, RrType::kNsec};
  return deny_types(request, kNoKeys, kTypes);
}

OnlineSigner::Answer OnlineSigner::expand(const Request& request, const SignedSet& set,
                                          std::uint32_t variant) {
  // One draw for each name until it would be drawn anew.
  const std::uint32_t longest = set.is_drawn() ? set.ttl : kAsLongAsGood;
  const std::uint64_t key = key_of(request, set.content);
  Answer kept;
  if (find(key, request, longest, kept)) return kept;
  ByteReader reader(set.answer(variant));
  RrType type{};
  std::size_t count = 0;
  // Equal records are there once: fewer than set.take, then.
  while (reader.remaining() > 0 && count < set.take) {
    reader.skip(2);
    const auto next = static_cast<RrType>(reader.u16());
    reader.skip(kRecordHead - 6);
    const Bytes data = reader.bytes(reader.u16());
    if (next == RrType::kRrsig) break;
    if (count == kMaxRecords) return {Status::kFailed, {}, 0};
    type = next;
    records_[count++] = data;
  }
  CHECK(reader.ok());  // records that the plan wrote
  return sign(request, key,
              {type, set.ttl, std::span(records_).first(count), set.drawn_of(variant)});
}

}  // namespace timepool::dns
