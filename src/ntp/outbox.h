// Outbox: what a client core wants done, as values. The caller gives an empty one to each call and
// then does what it holds. It is bounded: a core that finds it full leaves the rest for the next
// call, and its next_deadline() says at once that there is more to do.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/static_vector.h"
#include "ntp/nts_source.h"
#include "ntp/reply_reason.h"

namespace timepool::ntp {

// Names one association for as long as the program runs; never used again for another.
using AssociationId = std::uint32_t;
// Index of a configured source.
using SourceId = std::uint32_t;
// That of a reference clock, which is none of the table of sources.
inline constexpr SourceId kNoSource = UINT32_MAX;

// An NTS request: 48 + 36 (unique id) + 9 * 104 (cookie and 8 placeholders) + 40 (authenticator)
// = 1060 octets.
inline constexpr std::size_t kMaxRequestSize = 1232;
inline constexpr std::size_t kMaxSends = 16;
inline constexpr std::size_t kMaxCloses = 64;
inline constexpr std::size_t kMaxResolves = 16;
inline constexpr std::size_t kMaxEstablishes = 8;
inline constexpr std::size_t kMaxEvents = 64;

// Send these octets from a fresh socket on a port that the kernel chooses at random (RFC 9109),
// connected to the server. Close the association's socket before: a late reply is of no use. With
// `held`: from the association's one socket, which stays open and connected, on the port where this
// machine serves: what the other side sends unasked comes there.
struct SendAction {
  AssociationId association = 0;
  Endpoint to;
  bool held = false;
  std::array<std::byte, kMaxRequestSize> buffer{};
  std::size_t length = 0;

  Bytes bytes() const { return Bytes(buffer).first(length); }
};

// Establish keys with this server (RFC 8915 4), by the settings of the source; the answer is
// SourceSet::handle_establishment(), within Establishments::kPatience.
struct EstablishAction {
  EstablishmentId id = 0;
  SourceId source = 0;
  Endpoint server;
};

// What is worth a line in the log.
enum class EventKind : std::uint8_t {
  kReachable,     // the first usable answer, or the first after it was unreachable
  kUnreachable,   // eight requests in a row brought nothing usable
  kKiss,          // a kiss of death; `reason` says which
  kReplaced,      // the association ends, another address of its source takes its place
  kFalseticker,   // it does not agree with the majority
  kTruechimer,    // it agrees again
  kSmeared,       // it spreads a leap second and the majority does not, or the other way round
  kSelected,      // it became the reference
  kNoMajority,    // nobody is the reference any more
  kOutage,        // all who ever answered are silent, or nothing can be sent
  kOutageOver,    // somebody answers again
  kClockStepped,  // somebody else stepped the system clock, by `amount`
  kClockSet,      // we stepped it, by `amount`
  kClockRefused,  // a correction by `amount` is not allowed; told once until it changes
  kClockFailed,   // the system refused to change its clock
  kClockForeign,  // somebody else changed the clock's rate; what was found is adopted
  kResumed,       // the machine was suspended for `amount`: all samples are dropped
  kLeap,          // a leap second passed: true time jumped by `amount`
  kCertificate,   // the keys are dropped: the certificate does not hold at the time that is agreed
                  // on
};
inline constexpr std::size_t kEventKindCount = 19;
// "reachable", "falseticker", ...
std::string_view name_of(EventKind kind);

struct Event {
  EventKind kind = EventKind::kReachable;
  AssociationId association = 0;  // 0 where it concerns none
  Endpoint server;
  ReplyReason reason = ReplyReason::kAccepted;
  Duration amount{};
};

// Why a server that a pool's SRV record named is not used any more (ntp/target_book.h).
enum class TargetDrop : std::uint8_t {
  kNone,         // never dropped
  kNoAddress,    // its name has none, or can't be looked up
  kNoKeys,       // no key establishment succeeded
  kSilent,       // it does not answer, while others do
  kUseless,      // it answers, but its time is of no use
  kDenied,       // DENY or RSTR
  kNameGone,     // LC5: its name was taken from the DNS
  kSameAddress,  // all its addresses are in use for another of the pool
  kOtherSource,  // it is a source of its own
  kUntrusted,    // what named it turned out not to be proved
  kSurplus,      // fewer servers are wanted
};
inline constexpr std::size_t kTargetDropCount = 11;
// "none", "no_address", "no_keys", ...
std::string_view name_of(TargetDrop cause);

// A server of a pool was taken, or dropped. For people.
struct TargetNote {
  SourceId pool = 0;
  std::string target;
  TargetDrop cause = TargetDrop::kNone;  // kNone: it was taken
};
inline constexpr std::size_t kMaxTargetNotes = 64;

struct Outbox {
  StaticVector<SendAction, kMaxSends> sends;
  // Associations that are gone: their sockets can be closed.
  StaticVector<AssociationId, kMaxCloses> closes;
  // Sources whose name is to be looked up; the answer is SourceSet::handle_addresses(), and
  // handle_services() for a pool by SRV records.
  StaticVector<SourceId, kMaxResolves> resolves;
  StaticVector<EstablishAction, kMaxEstablishes> establishes;
  // Events beyond the capacity are dropped: they are for people, nothing depends on them.
  StaticVector<Event, kMaxEvents> events;

  std::vector<TargetNote> targets;  // at most kMaxTargetNotes; more are dropped

  void event(const Event& event) { static_cast<void>(events.push_back(event)); }
  void note(TargetNote note) {
    if (targets.size() < kMaxTargetNotes) targets.push_back(std::move(note));
  }
  void clear() {
    sends.clear();
    closes.clear();
    resolves.clear();
    establishes.clear();
    events.clear();
    targets.clear();
  }
};

}  // namespace timepool::ntp
