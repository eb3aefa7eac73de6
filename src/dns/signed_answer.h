// SignedAnswer: what a client that asks for DNSSEC (RFC 4035 3.1) gets of a signed zone instead of
// bare records: variants with their signatures, proofs of absence, keys. One for each query, a part
// of Answer. Where a zone is not signed, or a client does not ask, it does nothing.
#pragma once

#include <cstddef>
#include <optional>

#include "dns/asked.h"
#include "dns/reason.h"
#include "dns/reply.h"
#include "dns/signed/online_signer.h"
#include "dns/signed/signed_zones.h"

namespace timepool::dns {

class SignedAnswer {
 public:
  SignedAnswer(const Asked& asked, Reply& reply)
      : asked_(asked),
        reply_(reply),
        zones_(asked.served.signed_zones),
        wanted_(zones_ != nullptr && asked.query.edns &&
                asked.query.edns->header.has(wire::dns::EdnsHeader::kDo)) {}

  // A name as the reply has it, and what it was found to be.
  struct Owner {
    wire::dns::NameView name;  // in lower case
    std::size_t at = 0;        // where it stands in the reply
    const CompiledZones::ZoneInfo* zone = nullptr;
    const CompiledZones::Node* node = nullptr;  // of a wildcard that matched; null: no such name
    bool expanded = false;                      // the node is a wildcard, the name another
    bool cut = false;                           // a delegation that the zone's data may not know of
  };

  // Types that a signed zone has besides its records: its keys, NSEC and RRSIG, and ANY, which
  // gets the NSEC. Nothing for all other questions.
  std::optional<Reason> special(const Owner& owner);
  // The set's records and their signatures; whether they fit. Nothing: it is to be put without.
  std::optional<bool> put_set(wire::dns::Section section, const Owner& owner,
                              const CompiledZones::Set& set) {
    return wanted_ ? put_signed(section, owner, set) : std::nullopt;
  }
  // SOA and NSEC with their signatures, and the rcode. Nothing where the zone is not signed.
  std::optional<Reason> deny(const Owner& owner) {
    return wanted_ ? put_denial(owner) : std::nullopt;
  }
  // Why a set could not be signed while answering, when that is so.
  std::optional<Reason> failure() const { return failure_; }
  // What a referral says of a child's keys (RFC 9824 3.4): that there are none.
  void deny_keys(const CompiledZones::Node& cut, std::size_t cut_at);
  bool wanted() const { return wanted_; }
  // Whether nothing of `zone` may be given, to whom it may be.
  bool withholds(const CompiledZones::ZoneInfo& zone) const {
    return zones_ != nullptr && zones_->withholds_any() &&
           zones_->withholds(asked_.served.zones.index_of(zone));
  }

 private:
  std::optional<bool> put_signed(wire::dns::Section section, const Owner& owner,
                                 const CompiledZones::Set& set);
  bool put_entry(wire::dns::Section section, const Owner& owner, const CompiledZones::Set& set,
                 const SignedZones::Slot& found);
  bool put_whole(wire::dns::Section section, const Owner& owner, const SignedSet& found);
  // The RRSIGs of `entry`, whose signatures begin there.
  bool put_signatures(wire::dns::Section section, const SignedZones::Slot& found,
                      const std::byte* entry, std::size_t owner_at);
  std::optional<Reason> put_denial(const Owner& owner);
  Reason put_keys(const Owner& owner, const SignedSet& set);
  SignedZones::Proof nsec_of(std::uint32_t node) const;
  // Puts what was signed while answering, or says why not.
  std::optional<Reason> put_online(wire::dns::Section section, const Owner& owner,
                                   const OnlineSigner::Answer& answer);
  OnlineSigner::Request request_for(const Owner& owner, const SignedZones::Zone& state) const;
  OnlineSigner::Answer nsec_online(const Owner& owner, const SignedZones::Zone& state);

  const Asked& asked_;
  Reply& reply_;
  const SignedZones* zones_;
  bool wanted_;
  std::optional<Reason> failure_;
};

}  // namespace timepool::dns
