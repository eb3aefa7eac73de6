// The part of the Population that finds the servers whose broadcasts are listened for (RFC 8633
// 5.5). They are bounded in number, none is there that the key does not prove, and who broadcasts
// no more goes. The proof does not say from which address a broadcast comes, so a recorded one
// could bring up a server that there is not: one is taken once only, and a server that does not
// answer when it is asked how far it is loses its place and has none for a while.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "ntp/broadcast_watch.h"
#include "ntp/population.h"

namespace timepool::ntp {
namespace {

constexpr Duration kUnmeasurablePause = Duration::seconds(1024);
// All clients of a network hear a broadcast at once: they ask its server after half an interval at
// the most, and not all at once (RFC 5905 9.2).
constexpr Duration kLongestFirst = Duration::seconds(32);

// Of a source that no host of its network has. Link-local addresses are fine: the interface is
// known.
bool is_host(const Endpoint& from) {
  const auto fault = fault_of(from, FamilyChoice::kBoth, {});
  return from.port != 0 && from.address == from.address.unmapped() &&
         (!fault || *fault == AddressFault::kLinkLocal);
}

bool was_taken(ReplyReason reason) {
  return is_answer(reason) || reason == ReplyReason::kUncalibrated ||
         reason == ReplyReason::kImplausible || reason == ReplyReason::kEarlyBroadcast;
}

}  // namespace

std::optional<ReplyReason> Population::fault_of_sender(const Source& source,
                                                       const Endpoint& from) const {
  // What this machine broadcasts comes back to it.
  const bool ours = std::any_of(own_.begin(), own_.end(), [&](const Endpoint& it) {
    return it.address == from.address && it.port == from.port;
  });
  if (ours || fault_of(from, FamilyChoice::kBoth, own_) == AddressFault::kOurs) {
    return ReplyReason::kReflected;
  }
  const std::vector<Prefix>& allowed = source.config().broadcast.from;
  const bool may =
      is_host(from) && std::any_of(allowed.begin(), allowed.end(),
                                   [&](const Prefix& it) { return it.contains(from.address); });
  return may ? std::nullopt : std::optional(ReplyReason::kWrongSender);
}

std::optional<ReplyReason> Population::lack_of_room(const Source& source, const Endpoint& from,
                                                    MonoTime now) const {
  // One for each address: what is remembered of them is by address.
  if (members_.full() || members_.count_of(source.id()) >= source.wanted() || members_.uses(from) ||
      source.addresses().in_use(from.address)) {
    return ReplyReason::kNotTaken;
  }
  for (const AddressRecord& record : source.addresses().records()) {
    const bool silent = record.address == from.address && record.cause == DropCause::kSilent &&
                        record.state == AddressRecord::State::kDropped;
    if (silent && now - *record.dropped < kUnmeasurablePause) return ReplyReason::kUnmeasurable;
  }
  return std::nullopt;
}

Result<AssociationId, ReplyReason> Population::broadcast_member(SourceId id, const Endpoint& from,
                                                                Bytes datagram, MonoTime now,
                                                                RandomStream& random) {
  Source* source = sources_.find(id);
  if (source == nullptr || !source->listens() || !source->config().poll.online) {
    return fail(ReplyReason::kUnsolicited);
  }
  if (const auto fault = fault_of_sender(*source, from)) return fail(*fault);
  for (const Member& member : members_) {
    if (member.source == id && member.server() == from) return member.id;
  }
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) return fail(reply_reason_of(packet.error()));
  const wire::ntp::Header& header = packet->header;
  if (header.mode != wire::ntp::Mode::kBroadcast) return fail(ReplyReason::kWrongMode);
  if (header.version > source->config().version) return fail(ReplyReason::kWrongVersion);
  if (!factory_ ||
      factory_(*source, from.address)->check(*packet, datagram) != AuthVerdict::kAuthentic) {
    return fail(ReplyReason::kNotAuthentic);
  }
  if (!source->is_new_broadcast(header.transmit)) return fail(ReplyReason::kReplayed);
  if (const auto lack = lack_of_room(*source, from, now)) return fail(*lack);
  const Duration most = std::min(broadcast_interval(header.poll) / 2, kLongestFirst);
  const MonoTime first = now + Duration::from_seconds(most.to_seconds() * random.unit());
  source->hear(from.address, now);
  start_association(*source, from, first, now);
  return members_[members_.size() - 1].id;
}

void Population::note_broadcast(SourceId id, Bytes datagram, ReplyReason reason) {
  Source* source = sources_.find(id);
  const auto packet = wire::ntp::parse_packet(datagram);
  if (source == nullptr || !packet.ok() || !was_taken(reason)) return;
  source->note_broadcast(packet->header.transmit);
}

void Population::drop_gone(MonoTime now) {
  for (std::size_t i = members_.size(); i-- > 0;) {
    const Member& member = members_[i];
    if (!member.association || !member.association->gone()) continue;
    Source* source = sources_.find(member.source);
    CHECK(source != nullptr);
    const bool in_vain = member.association->asks() && !member.association->ever_answered();
    source->drop(member.server().address, now, in_vain ? DropCause::kSilent : DropCause::kSurplus);
    end(member.id);
  }
}

}  // namespace timepool::ntp
