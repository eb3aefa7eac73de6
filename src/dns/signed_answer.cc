#include "dns/signed_answer.h"

#include "base/check.h"
#include "dns/put_set.h"
#include "dns/signed/subset.h"

namespace timepool::dns {
namespace {

using wire::dns::NameView;
using wire::dns::Rcode;
using wire::dns::RrType;
using wire::dns::Section;
using Special = SignedZones::Special;

std::size_t size_of_first(Bytes records) {
  constexpr std::size_t kHead = CompiledZones::kRecordHead;
  return kHead + (std::to_integer<std::size_t>(records[kHead - 2]) << 8 |
                  std::to_integer<std::size_t>(records[kHead - 1]));
}

std::size_t count_of(Bytes records) {
  std::size_t count = 0;
  for (; !records.empty(); records = records.subspan(size_of_first(records))) ++count;
  return count;
}

std::optional<Special> keys_of(RrType type) {
  switch (type) {
    case RrType::kDnskey:
      return Special::kDnskey;
    case RrType::kCds:
      return Special::kCds;
    case RrType::kCdnskey:
      return Special::kCdnskey;
    default:
      return std::nullopt;
  }
}

// Behind the data's next name.
Bytes bitmap_of(const SignedSet& nsec) {
  ByteReader reader(nsec.plain());
  reader.skip(CompiledZones::kRecordHead);
  const auto next = wire::dns::parse_plain_name(reader);
  CHECK(next.ok());  // the plan wrote it
  return reader.rest();
}

}  // namespace

OnlineSigner::Request SignedAnswer::request_for(const Owner& owner,
                                                const SignedZones::Zone& state) const {
  const bool proven = asked_.rx.tcp || asked_.cookie.use == CookieUse::kGood;
  return {state,
          owner.zone->origin,
          owner.name,
          asked_.rx.now,
          proven ? OnlineSigner::Client::kProven : OnlineSigner::Client::kUnproven,
          asked_.served.settings.online_signatures};
}

std::optional<Reason> SignedAnswer::put_online(Section section, const Owner& owner,
                                               const OnlineSigner::Answer& answer) {
  switch (answer.status) {
    case OnlineSigner::Status::kReady:
      reply_.put_all(section, answer.records, answer.count, owner.at);
      return std::nullopt;
    case OnlineSigner::Status::kLimited:
      // By TCP, or with a cookie, a client shows that it is where it says.
      if (request_for(owner, *zones_->zone(asked_.served.zones.index_of(*owner.zone))).client ==
          OnlineSigner::Client::kUnproven) {
        reply_.truncate();
      } else {
        reply_.set_rcode(Rcode::kServFail);
      }
      return Reason::kSignatureLimit;
    case OnlineSigner::Status::kFailed:
      break;
  }
  reply_.set_rcode(Rcode::kServFail);
  return Reason::kSignatureFailed;
}

OnlineSigner::Answer SignedAnswer::nsec_online(const Owner& owner, const SignedZones::Zone& state) {
  const OnlineSigner::Request request = request_for(owner, state);
  OnlineSigner& signer = asked_.worker.signer;
  if (owner.node == nullptr) {
    return owner.cut ? signer.deny_keys(request) : signer.deny_name(request);
  }
  // Of a name that a wildcard gives: what the wildcard has.
  const SignedZones::Proof nsec = nsec_of(asked_.served.zones.index_of(*owner.node));
  if (nsec.set == nullptr) return {};
  return signer.deny(request, bitmap_of(*nsec.set));
}

// The NSEC that denies the type asked for, or the one of all types where that is asked for itself.
SignedZones::Proof SignedAnswer::nsec_of(std::uint32_t node) const {
  const RrType type = asked_.query.type;
  const bool whole = type == RrType::kNsec || type == RrType::kRrsig || type == RrType::kAny;
  if (!whole) {
    std::uint32_t index = 0;
    const CompiledZones& zones = asked_.served.zones;
    for (const auto& entry : zones.entries(zones.nodes()[node])) {
      if (entry.type == type) {
        if (const auto* found = zones_->find(node, Special::kNsecWithout, index)) {
          return SignedZones::proof(*found);
        }
      }
      ++index;
    }
    return zones_->proofs(node).no_data;
  }
  return zones_->proofs(node).full;
}

Reason SignedAnswer::put_keys(const Owner& owner, const SignedSet& set) {
  if (wanted_) {
    reply_.put_all(Section::kAnswer, set.answer(0), set.take + set.signatures, owner.at);
  } else {
    reply_.put_all(Section::kAnswer, set.plain(), set.take, owner.at);
  }
  return Reason::kAnswered;
}

std::optional<Reason> SignedAnswer::special(const Owner& owner) {
  if (zones_ == nullptr) return std::nullopt;
  const RrType type = asked_.query.type;
  const bool proof = type == RrType::kNsec || type == RrType::kRrsig ||
                     (type == RrType::kAny && wanted_ && owner.node != nullptr);
  if (!proof && !keys_of(type)) return std::nullopt;
  const CompiledZones& zones = asked_.served.zones;
  const SignedZones::Zone* state = zones_->zone(zones.index_of(*owner.zone));
  if (state == nullptr) return std::nullopt;
  const std::uint32_t node = owner.node == nullptr ? 0 : zones.index_of(*owner.node);
  const bool ahead = owner.node != nullptr && !owner.expanded;
  if (const auto keys = keys_of(type)) {
    const SignedSet* set = ahead ? zones_->find(node, *keys) : nullptr;
    return set == nullptr ? std::nullopt : std::optional(put_keys(owner, *set));
  }
  if (!ahead && !wanted_) return std::nullopt;
  const Reason reason = type == RrType::kAny    ? Reason::kAnyMinimal
                        : owner.node == nullptr ? Reason::kNxDomain
                                                : Reason::kAnswered;
  reply_.set_compact();
  if (ahead) {
    const SignedSet* set = zones_->proofs(node).full.set;
    if (set == nullptr) return std::nullopt;
    if (type != RrType::kRrsig) {
      put_keys(owner, *set);
    } else {
      reply_.put_all(Section::kAnswer, set->answer(0).subspan(set->plain_size), set->signatures,
                     owner.at);
    }
    return reason;
  }
  OnlineSigner::Answer answer = nsec_online(owner, *state);
  if (type == RrType::kRrsig && answer.status == OnlineSigner::Status::kReady) {
    answer.records = answer.records.subspan(size_of_first(answer.records));
    --answer.count;
  }
  const auto failed = put_online(Section::kAnswer, owner, answer);
  return failed ? failed : reason;
}

std::optional<bool> SignedAnswer::put_signed(Section section, const Owner& owner,
                                             const CompiledZones::Set& set) {
  const CompiledZones& zones = asked_.served.zones;
  const std::uint32_t node = zones.index_of(*owner.node);
  const SignedZones::Slot* found = zones_->look(node, zones.index_of(set));
  if (found == nullptr) return std::nullopt;
  reply_.set_compact();
  SignedBlock::note_asked(found->octets);
  if (found->form == SignedSet::Form::kWhole) return put_whole(section, owner, *found->set);
  return put_entry(section, owner, set, *found);
}

bool SignedAnswer::put_entry(Section section, const Owner& owner, const CompiledZones::Set& set,
                             const SignedZones::Slot& found) {
  HandedOut& handed = section == Section::kAnswer ? asked_.worker.handed : asked_.worker.added;
  handed.count = 0;
  if (found.form == SignedSet::Form::kSubsets) {
    if (!dns::put_set(asked_, reply_, section, set, owner.at)) return false;
    // Of all records there is one subset.
    const std::uint32_t number = found.count == 1 ? 0 : subset_number(set.count, handed.list());
    return put_signatures(section, found, found.entry(number), owner.at);
  }
  const std::byte* const entry =
      found.entry(static_cast<std::uint32_t>(asked_.worker.prng.below(found.count)));
  __builtin_prefetch(entry);
  const std::byte* const numbers = entry + std::size_t{found.signatures} * dnssec::kSignatureSize;
  for (std::uint32_t i = 0; i < set.take; ++i) {
    handed.records[handed.count++] = SignedSet::number_in(numbers, i);
  }
  if (!put_some(asked_.served.zones, reply_, section, set, handed.list(), owner.at)) return false;
  return put_signatures(section, found, entry, owner.at);
}

bool SignedAnswer::put_signatures(Section section, const SignedZones::Slot& found,
                                  const std::byte* entry, std::size_t owner_at) {
  const std::size_t head = found.entries / found.signatures;
  for (std::size_t i = 0; i < found.signatures; ++i) {
    const Bytes signature(entry + i * dnssec::kSignatureSize, dnssec::kSignatureSize);
    if (!reply_.put(section, Bytes(found.octets + i * head, head), signature, owner_at)) {
      return false;
    }
  }
  return true;
}

bool SignedAnswer::put_whole(Section section, const Owner& owner, const SignedSet& found) {
  HandedOut& handed = section == Section::kAnswer ? asked_.worker.handed : asked_.worker.added;
  handed.count = 0;
  const auto variant = static_cast<std::uint32_t>(asked_.worker.prng.below(found.count));
  if (owner.expanded) {
    const SignedZones::Zone& state = *zones_->zone(asked_.served.zones.index_of(*owner.zone));
    const auto answer = asked_.worker.signer.expand(request_for(owner, state), found, variant);
    for (const std::uint16_t record : answer.drawn) handed.records[handed.count++] = record;
    failure_ = put_online(section, owner, answer);
    return !failure_ && !reply_.truncated();
  }
  for (const std::uint16_t record : found.drawn_of(variant)) {
    handed.records[handed.count++] = record;
  }
  const Bytes records = found.answer(variant);
  const std::size_t count = found.repeats ? count_of(records) : found.take + found.signatures;
  return reply_.put_all(section, records, count, owner.at);
}

std::optional<Reason> SignedAnswer::put_denial(const Owner& owner) {
  const CompiledZones& zones = asked_.served.zones;
  const SignedZones::Zone* state = zones_->zone(zones.index_of(*owner.zone));
  if (state == nullptr || state->soa == nullptr) return std::nullopt;
  reply_.set_compact();
  if (owner.node != nullptr && !owner.expanded) {
    const SignedZones::Proof nsec = nsec_of(zones.index_of(*owner.node));
    if (nsec.set != nullptr) {
      reply_.put_all(Section::kAuthority, nsec.records, nsec.count, owner.at);
    }
  } else if (const auto failed =
                 put_online(Section::kAuthority, owner, nsec_online(owner, *state))) {
    return failed;
  }
  const std::size_t apex_at = owner.at + owner.name.size() - owner.zone->origin.size();
  reply_.put(Section::kAuthority, zones.soa(*owner.zone), apex_at);
  for (std::uint32_t i = 0; i < state->soa->signatures; ++i) {
    reply_.put(Section::kAuthority, state->soa->head(i), state->soa->signature(0, i), apex_at);
  }
  if (owner.node != nullptr || owner.cut) return Reason::kNoData;
  // RFC 9824 3.1 and 5: the name is said to exist without data, unless the client knows better.
  if (asked_.query.edns->header.has(wire::dns::EdnsHeader::kCo)) {
    reply_.set_rcode(Rcode::kNxDomain);
  }
  return Reason::kNxDomain;
}

void SignedAnswer::deny_keys(const CompiledZones::Node& cut, std::size_t cut_at) {
  const SignedZones::Proof& nsec = zones_->proofs(asked_.served.zones.index_of(cut)).full;
  if (nsec.set == nullptr) return;
  reply_.set_compact();
  reply_.put_all(Section::kAuthority, nsec.records, nsec.count, cut_at);
}

}  // namespace timepool::dns
