#include "dns/transfer/signed_version.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/siphash.h"
#include "dnssec/rrset.h"
#include "dnssec/rrsig.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::dns {
namespace {

using dnssec::ZoneKey;
using wire::dns::NameView;
using wire::dns::RrType;
using Records = std::span<const TransferRecord>;

// RRSIG's data (RFC 4034 3.1): covered 2, algorithm 1, labels 1, TTL 4, expiration 4, inception 4,
// tag 2.
struct RrsigHead {
  RrType covered{};
  std::uint8_t algorithm = 0;
  std::uint8_t labels = 0;
  std::uint32_t ttl = 0;
  std::uint32_t expiration = 0;
  std::uint32_t inception = 0;
  std::uint16_t tag = 0;
};

RrsigHead head_of(const TransferRecord& record) {
  ByteReader reader(record.rdata);
  RrsigHead out;
  out.covered = static_cast<RrType>(reader.u16());
  out.algorithm = reader.u8();
  out.labels = reader.u8();
  out.ttl = reader.u32();
  out.expiration = reader.u32();
  out.inception = reader.u32();
  out.tag = reader.u16();
  return out;
}

NameView name_of(const std::vector<std::byte>& wire) {
  return NameView::from_valid_wire(wire);
}

bool is_of_signing(RrType type) {
  return type == RrType::kRrsig || type == RrType::kNsec || type == RrType::kDnskey ||
         type == RrType::kCds || type == RrType::kCdnskey;
}
bool is_entry(RrType type) {
  return type == RrType::kDnskey || type == RrType::kCds || type == RrType::kCdnskey;
}

// Below 0: the record comes before those of `owner` and `type`.
int compare(const TransferRecord& record, const std::vector<std::byte>& owner, RrType type) {
  if (record.owner != owner) return record.owner < owner ? -1 : 1;
  return record.type == type ? 0 : record.type < type ? -1 : 1;
}

// The records of an owner and a type in a version's.
Records find(const ZoneVersion& version, const std::vector<std::byte>& owner, RrType type) {
  const auto first = std::partition_point(
      version.records.begin(), version.records.end(),
      [&](const TransferRecord& record) { return compare(record, owner, type) < 0; });
  auto last = first;
  while (last != version.records.end() && compare(*last, owner, type) == 0) ++last;
  return {first, last};
}

std::vector<const ZoneKey*> signers(const dnssec::ZoneKeys& keys, bool entry) {
  std::vector<const ZoneKey*> out;
  for (const ZoneKey& key : keys.keys) {
    if (key.signer != nullptr && (entry ? key.signs_keys : key.signs_data)) out.push_back(&key);
  }
  return out;
}

SignatureState::Signers tags_of(const std::vector<const ZoneKey*>& keys) {
  SignatureState::Signers out;
  for (const ZoneKey* key : keys) {
    out.emplace(static_cast<std::uint8_t>(key->algorithm), key->tag);
  }
  return out;
}

std::vector<TransferRecord> entry_records(const wire::dns::DnsName& origin,
                                          const dnssec::ZoneKeys& keys) {
  const Bytes wire = origin.wire();
  const std::vector<std::byte> owner(wire.begin(), wire.end());
  std::vector<TransferRecord> out;
  const auto add = [&](RrType type, std::vector<std::byte> rdata) {
    out.push_back({owner, type, keys.dnskey_ttl, std::move(rdata)});
  };
  for (const ZoneKey& key : keys.keys) {
    if (key.published) add(RrType::kDnskey, dnssec::dnskey_data(key));
  }
  for (const auto& cds : keys.cds) add(RrType::kCds, cds);
  for (const auto& cdnskey : keys.cdnskey) add(RrType::kCdnskey, cdnskey);
  std::sort(out.begin(), out.end());
  return out;
}

// How long signatures hold here. All in seconds.
struct Terms {
  explicit Terms(const dnssec::SignatureTimes& times)
      : life(times.static_lifetime),
        least(std::uint64_t{times.static_lifetime} * times.renew_percent / 100),
        spread((life - least) / 2),
        window((life - least) / 16) {}
  std::uint64_t life;
  std::uint64_t least;   // left of them; with less they are made anew
  std::uint64_t spread;  // by which some end before others
  std::uint64_t window;  // what is due within it is made anew with what is due now

  // A clock that is disciplined may be a little behind what it was; one that jumped is not.
  static constexpr std::int64_t kBehind = 60;
  bool good(std::uint32_t inception, std::uint32_t expiration, std::uint32_t before,
            std::uint32_t now, std::uint64_t margin) const {
    const auto age = static_cast<std::int32_t>(now - (inception + before));
    const auto left = static_cast<std::int32_t>(expiration - now);
    return age >= -kBehind && left > 0 && static_cast<std::uint64_t>(left) >= least + margin;
  }
};

// The records of one owner and type. All have one TTL.
struct Set {
  RrType type{};
  std::uint32_t ttl = 0;
  std::vector<Bytes> rdata;
};

class VersionSigner {
 public:
  VersionSigner(const ZoneVersion& data, const dnssec::ZoneKeys& keys,
                const dnssec::SignatureTimes& times, std::uint32_t now, const ZoneVersion* before)
      : data_(data),
        keys_(keys),
        times_(times),
        terms_(times),
        now_(now),
        before_(before),
        data_signers_(signers(keys, false)),
        entry_signers_(signers(keys, true)) {}

  Result<SignedVersion, ExportFault> run() {
    if (data_signers_.empty() || entry_signers_.empty()) return fail(ExportFault::kNoKeys);
    if (data_signers_.size() > kMaxExportKeys || entry_signers_.size() > kMaxExportKeys) {
      return fail(ExportFault::kTooManyKeys);
    }
    out_ = std::make_shared<ZoneVersion>();
    out_->origin = data_.origin;
    out_->serial = data_.serial;
    out_->soa = data_.soa;
    gather();
    TRY(sign_all());
    settle(*out_);
    SignedVersion result;
    result.version = std::move(out_);
    result.made = made_;
    result.kept = kept_;
    return result;
  }

 private:
  // Everything but NSEC and RRSIG, by canonical order of the owners and by type.
  void gather() {
    entry_ = entry_records(data_.origin, keys_);
    for (const TransferRecord& record : data_.records) {
      if (is_of_signing(record.type)) continue;
      all_.push_back(&record);
      out_->records.push_back(record);
    }
    for (const TransferRecord& record : entry_) {
      all_.push_back(&record);
      out_->records.push_back(record);
    }
    all_.push_back(&data_.soa);
    std::sort(all_.begin(), all_.end(), [](const TransferRecord* a, const TransferRecord* b) {
      if (a->owner != b->owner) {
        return wire::dns::canonical_order(name_of(a->owner), name_of(b->owner)) < 0;
      }
      return a->type != b->type ? a->type < b->type : a->rdata < b->rdata;
    });
  }

  Result<void, ExportFault> sign_all() {
    // A name's NSEC is known when the next name is.
    const std::vector<std::byte>* cut = nullptr;
    const std::vector<std::byte>* open = nullptr;
    std::vector<RrType> open_types;
    for (std::size_t at = 0; at < all_.size();) {
      const std::vector<std::byte>& owner = all_[at]->owner;
      const std::vector<Set> sets = sets_at(at);
      // RFC 4035 2.2, 2.3: what lies below a cut is not the zone's; of a cut itself it has NS,
      // unsigned, and DS.
      if (cut != nullptr && name_of(owner).is_within(name_of(*cut))) continue;
      const bool apex = owner == data_.soa.owner;
      const bool is_cut = !apex && has(sets, RrType::kNs);
      if (is_cut) cut = &owner;
      if (open != nullptr) TRY(put_nsec(*open, open_types, owner));
      open = &owner;
      open_types = {RrType::kRrsig, RrType::kNsec};
      for (const Set& set : sets) {
        const bool signs = !is_cut || set.type == RrType::kDs;
        if (signs) TRY(sign(owner, set));
        if (signs || set.type == RrType::kNs) open_types.push_back(set.type);
      }
    }
    // The last name leads to the first (RFC 4034 4.1.1).
    return put_nsec(*open, open_types, data_.soa.owner);
  }

  static bool has(const std::vector<Set>& sets, RrType type) {
    return std::any_of(sets.begin(), sets.end(), [type](const Set& it) { return it.type == type; });
  }

  // The sets of the owner that all_[at] has; `at` goes on to the next owner.
  std::vector<Set> sets_at(std::size_t& at) const {
    std::vector<Set> out;
    const std::vector<std::byte>& owner = all_[at]->owner;
    for (; at < all_.size() && all_[at]->owner == owner; ++at) {
      const TransferRecord& record = *all_[at];
      if (out.empty() || out.back().type != record.type) {
        out.push_back({record.type, record.ttl, {}});
      }
      out.back().rdata.push_back(record.rdata);
    }
    return out;
  }

  // RFC 4034 4; the TTL as RFC 9077 3 has it.
  Result<void, ExportFault> put_nsec(const std::vector<std::byte>& owner, std::vector<RrType> types,
                                     const std::vector<std::byte>& next) {
    ByteReader numbers(data_.soa.rdata);
    numbers.seek(data_.soa.rdata.size() - 4);
    const std::uint32_t minimum = numbers.u32();
    std::sort(types.begin(), types.end());
    TransferRecord record{owner, RrType::kNsec, std::min(data_.soa.ttl, minimum), {}};
    record.rdata.resize(next.size() + types.size() * kMaxWindow);
    ByteWriter writer(record.rdata);
    writer.bytes(next);
    wire::dns::write_type_bitmap(writer, types);
    CHECK(writer.ok());
    record.rdata.resize(writer.size());
    out_->records.push_back(record);
    return sign(owner, {RrType::kNsec, record.ttl, {record.rdata}});
  }

  Result<void, ExportFault> sign(const std::vector<std::byte>& owner, const Set& set) {
    if (keep(owner, set)) return {};
    const auto rrset = dnssec::CanonicalRrset::create(set.type, set.ttl, set.rdata);
    if (!rrset.ok()) return fail(ExportFault::kBadRecord);
    dnssec::Validity validity = dnssec::validity_from(now_, dnssec::Lifetime::kStatic, times_);
    validity.expiration -= earlier_by(owner, set.type);
    const std::size_t size = dnssec::rrsig_size(data_.origin);
    std::vector<std::uint32_t> records(set.rdata.size());
    for (std::uint32_t i = 0; i < records.size(); ++i) records[i] = i;
    buffer_.resize(size + rrset->written_at_most(name_of(owner), records.size()));
    for (const ZoneKey* key : signers_of(set.type)) {
      ByteWriter writer(buffer_);
      dnssec::write_rrsig_head(writer,
                               {set.type, dnssec::signed_labels(name_of(owner)), set.ttl, validity},
                               *key, data_.origin);
      const auto head = static_cast<std::ptrdiff_t>(writer.size());
      rrset->write(name_of(owner), records, writer, order_);
      CHECK(writer.ok());
      std::array<std::byte, dnssec::kSignatureSize> signature;
      if (!key->signer->sign(writer.written(), signature)) return fail(ExportFault::kSigner);
      TransferRecord record{owner, RrType::kRrsig, set.ttl, {}};
      record.rdata.assign(buffer_.begin(), buffer_.begin() + head);
      record.rdata.insert(record.rdata.end(), signature.begin(), signature.end());
      out_->records.push_back(std::move(record));
      ++made_;
    }
    return {};
  }

  const std::vector<const ZoneKey*>& signers_of(RrType type) const {
    return is_entry(type) ? entry_signers_ : data_signers_;
  }

  // Whether the signatures of the version before go on.
  bool keep(const std::vector<std::byte>& owner, const Set& set) {
    if (before_ == nullptr || !same_set(owner, set)) return false;
    const auto& wanted = signers_of(set.type);
    std::vector<const TransferRecord*> kept;
    for (const TransferRecord& record : find(*before_, owner, RrType::kRrsig)) {
      const RrsigHead head = head_of(record);
      if (head.covered != set.type) continue;
      const bool good = head.ttl == set.ttl && record.ttl == set.ttl &&
                        terms_.good(head.inception, head.expiration, times_.inception_before, now_,
                                    terms_.window);
      const bool ours = std::any_of(wanted.begin(), wanted.end(), [&](const ZoneKey* key) {
        return key->tag == head.tag &&
               static_cast<std::uint8_t>(key->algorithm) == head.algorithm && was_published(*key);
      });
      if (!good || !ours) return false;
      kept.push_back(&record);
    }
    if (kept.size() != wanted.size()) return false;
    for (const TransferRecord* record : kept) out_->records.push_back(*record);
    kept_ += kept.size();
    return true;
  }

  bool same_set(const std::vector<std::byte>& owner, const Set& set) const {
    const Records was =
        set.type == RrType::kSoa ? Records(&before_->soa, 1) : find(*before_, owner, set.type);
    return std::equal(was.begin(), was.end(), set.rdata.begin(), set.rdata.end(),
                      [&set](const TransferRecord& record, Bytes rdata) {
                        return record.ttl == set.ttl && std::ranges::equal(record.rdata, rdata);
                      });
  }

  // A key's tag is not the key: what another one signed that had the same is not ours.
  bool was_published(const ZoneKey& key) {
    const auto known = published_.find(&key);
    if (known != published_.end()) return known->second;
    const std::vector<std::byte> rdata = dnssec::dnskey_data(key);
    const Records was = find(*before_, data_.soa.owner, RrType::kDnskey);
    return published_[&key] = std::any_of(
               was.begin(), was.end(), [&](const TransferRecord& it) { return it.rdata == rdata; });
  }

  std::uint32_t earlier_by(const std::vector<std::byte>& owner, RrType type) const {
    constexpr SiphashKey kKey{0x7472'616e'7366'6572, 0};
    const std::uint64_t hash = siphash24(kKey, owner) + static_cast<std::uint64_t>(type);
    const std::uint64_t share = hash * 0x9e37'79b9'7f4a'7c15U >> 48;
    return static_cast<std::uint32_t>(terms_.spread * share >> 16);
  }

  // Of a type bitmap for each type at the most: number, length and bits (RFC 4034 4.1.2).
  static constexpr std::size_t kMaxWindow = 34;

  const ZoneVersion& data_;
  const dnssec::ZoneKeys& keys_;
  const dnssec::SignatureTimes& times_;
  const Terms terms_;
  const std::uint32_t now_;
  const ZoneVersion* before_;
  const std::vector<const ZoneKey*> data_signers_;
  const std::vector<const ZoneKey*> entry_signers_;
  std::vector<TransferRecord> entry_;
  std::vector<const TransferRecord*> all_;
  std::map<const ZoneKey*, bool> published_;
  std::shared_ptr<ZoneVersion> out_;
  std::vector<std::byte> buffer_;
  std::vector<std::uint32_t> order_;
  std::size_t made_ = 0;
  std::size_t kept_ = 0;
};

}  // namespace

std::string_view describe(ExportFault fault) {
  switch (fault) {
    case ExportFault::kNoKeys:
      return "its keys cannot sign";
    case ExportFault::kTooManyKeys:
      return "more than 4 keys would sign each record set";
    case ExportFault::kBadRecord:
      return "a record's data is none of its type";
    case ExportFault::kSigner:
      return "the library that signs fails";
  }
  return "";
}

Result<SignedVersion, ExportFault> sign_version(const ZoneVersion& data,
                                                const dnssec::ZoneKeys& keys,
                                                const dnssec::SignatureTimes& times,
                                                std::uint32_t now, const ZoneVersion* before) {
  return VersionSigner(data, keys, times, now, before).run();
}

std::uint32_t longest_expire(const dnssec::SignatureTimes& times) {
  const std::uint64_t least = Terms(times).least;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(least - least / 8, 1));
}

std::shared_ptr<const ZoneVersion> without_signatures(const ZoneVersion& version) {
  auto out = std::make_shared<ZoneVersion>();
  out->origin = version.origin;
  out->serial = version.serial;
  out->soa = version.soa;
  std::copy_if(version.records.begin(), version.records.end(), std::back_inserter(out->records),
               [](const TransferRecord& record) { return !is_of_signing(record.type); });
  settle(*out);
  return out;
}

SignatureState signature_state(const ZoneVersion& version) {
  SignatureState out;
  for (const TransferRecord& record : version.records) {
    if (is_entry(record.type)) out.entry.push_back(record);
    if (record.type != RrType::kRrsig) continue;
    const RrsigHead head = head_of(record);
    (is_entry(head.covered) ? out.entry_signers : out.data_signers)
        .emplace(head.algorithm, head.tag);
    if (!out.is_signed || is_after(out.first_expiration, head.expiration)) {
      out.first_expiration = head.expiration;
    }
    if (!out.is_signed || is_after(head.inception, out.last_inception)) {
      out.last_inception = head.inception;
    }
    out.is_signed = true;
  }
  return out;
}

bool is_signed_by(const SignatureState& state, const wire::dns::DnsName& origin,
                  const dnssec::ZoneKeys& keys) {
  return state.is_signed && state.entry == entry_records(origin, keys) &&
         state.data_signers == tags_of(signers(keys, false)) &&
         state.entry_signers == tags_of(signers(keys, true));
}

bool is_fresh(const SignatureState& state, const dnssec::SignatureTimes& times, std::uint32_t now) {
  return state.is_signed && Terms(times).good(state.last_inception, state.first_expiration,
                                              times.inception_before, now, 0);
}

}  // namespace timepool::dns
