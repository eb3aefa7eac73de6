// Members: what is measured now, of all sources together. A member has an id that is never used
// again, the source it belongs to, and the thing that measures: an association with a server, or a
// reference clock, which is a source of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ntp/association.h"
#include "ntp/liveness.h"
#include "ntp/measured.h"
#include "ntp/nts_authenticator.h"
#include "ntp/refclock.h"
#include "ntp/selection.h"
#include "ntp/source_report.h"

namespace timepool::ntp {

struct Member {
  Member(SourceId of, std::unique_ptr<Association> made)
      : id(made->id()), source(of), association(std::move(made)) {}
  Member(AssociationId made_id, std::unique_ptr<Refclock> made)
      : id(made_id), source(kNoSource), refclock(std::move(made)) {}

  const Measured& measured() const {
    return association ? static_cast<const Measured&>(*association) : *refclock;
  }
  Measured& measured() { return association ? static_cast<Measured&>(*association) : *refclock; }
  // What events and reports name it by; empty for what has no address.
  Endpoint server() const { return association ? association->server() : Endpoint{}; }
  ReplyReason last_reason() const {
    return association ? association->last_reason() : ReplyReason::kAccepted;
  }

  bool is_refclock() const { return refclock != nullptr; }
  bool authenticated() const { return association && association->authenticated(); }
  bool synchronised() const { return !association || association->synchronised(); }

  AssociationId id;
  SourceId source;
  // One of the two.
  std::unique_ptr<Association> association;
  std::unique_ptr<Refclock> refclock;
  // What the latest selection made of it.
  SourceStatus status = SourceStatus::kUnusable;
  Cause cause = Cause::kNoSamples;
  SelectOptions options;
  double score = 1;
  std::optional<MonoTime> agreed;  // when a selection last found that it agrees, if it still did
  MonoTime selected_with;          // when the sample came that was its latest then
  Liveness liveness;
  std::uint32_t useless = 0;  // samples in a row that were of no use (F11)
  std::uint32_t unsent = 0;   // requests in a row that the system had no route for
  MonoTime called;            // when it was last asked out of turn
  // The address in its source's book that it stands for: its server's, but where a key
  // establishment at that address named another server.
  IpAddress origin;
  // Of an NTS server: its association's; and when its keys were established.
  NtsAuthenticator* nts = nullptr;
  MonoTime established;
  nts::CertificateDates certificate;
  // It is to take the place of this member, for this reason, when it has proved itself; 0: no.
  AssociationId beside = 0;
  DropCause takes_place = DropCause::kNone;
  bool proved = false;       // it has answered with authenticated time
  bool late = false;         // of a source that came when others of its kind gave time
  std::uint32_t probed = 0;  // misses that a probe was planned for
};

class Members {
 public:
  // Adding and removing moves members: pointers and indices are good until then.
  Member* find(AssociationId id);
  std::size_t size() const { return all_.size(); }
  bool full() const { return all_.size() >= kMaxCandidates; }
  Member& operator[](std::size_t index) { return all_[index]; }
  const Member& operator[](std::size_t index) const { return all_[index]; }
  auto begin() { return all_.begin(); }
  auto end() { return all_.end(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

  bool uses(const Endpoint& server) const;
  // Without those beside others.
  std::size_t count_of(SourceId source) const;
  // Whether somebody is to take this member's place.
  bool has_beside(AssociationId id) const;

  // CHECKs that it is not full.
  void add(Member member);
  void remove(AssociationId id);

 private:
  std::vector<Member> all_;
};

}  // namespace timepool::ntp
