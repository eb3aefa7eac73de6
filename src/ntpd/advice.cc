#include "ntpd/advice.h"

namespace timepool::ntpd {
namespace {

constexpr std::string_view kSpoofing =
    "Somebody sends forged replies, or uses this machine's address for requests of their own. "
    "Filter forged source addresses where your network meets others (BCP 38); authenticated "
    "sources can't be forged.";
constexpr std::string_view kBrokenServer =
    "Ask whoever runs that server, or remove it from the configuration.";
constexpr std::string_view kKeys =
    "Compare the keys of both sides; with right keys somebody changes or forges the packets.";

}  // namespace

Advice advice_on(ntp::ReplyReason reason) {
  using ntp::ReplyReason;
  switch (reason) {
    case ReplyReason::kUnsolicited:
      return {true, "a reply to no request of ours (RFC 8633 3.5)", kSpoofing};
    case ReplyReason::kDuplicate:
      return {true, "a reply that came a second time: the network copied it, or it was replayed",
              kSpoofing};
    case ReplyReason::kReplayed:
      return {true, "a reply from before, sent again (RFC 8633 3.5: replay)", kSpoofing};
    case ReplyReason::kEarlyBroadcast:
      return {true, "a broadcast that came sooner than announced (RFC 8633 3.5)", kSpoofing};
    case ReplyReason::kStaleTimestamp:
      return {true,
              "a server's time from before what it said earlier, or from before any possible time "
              "(RFC 8633 3.5): a replay, or its clock is bad",
              kBrokenServer};
    case ReplyReason::kTooEarly:
      return {true, "a reply that came before its request was sent, by our own clock",
              "Find out what else sets the clock of this machine; if nothing does, the fault is "
              "the kernel's or ours."};
    case ReplyReason::kZeroOrigin:
      return {true, "a reply that names no request (RFC 8633 5.3: zero origin)", kSpoofing};
    case ReplyReason::kWrongOrigin:
      return {true, "a reply to a request that was never made (RFC 8633 5.3: bogus origin)",
              kSpoofing};
    case ReplyReason::kCryptoNak:
      return {true, "the server says that it could not verify our request", kKeys};
    case ReplyReason::kBadMac:
    case ReplyReason::kNotAuthentic:
      return {true, "a reply whose proof is missing or wrong (RFC 8633 5.3: bad MAC)", kKeys};
    case ReplyReason::kReflected:
      return {true, "a packet of ours that came back to us",
              "To a peer: somebody sends it back. A broadcast: the machine that sends it gets it "
              "too, where it listens."};
    case ReplyReason::kWrongSender:
      return {true, "broadcasts from addresses that [[broadcast_client]] from does not have",
              "Find out who sends them: an attacker, or a server that is to be named there."};
    case ReplyReason::kUnmeasurable:
      return {true, "broadcasts of a server that does not answer when it is asked how far it is",
              "Let it answer clients under the key, or set delay of [[broadcast_client]]. Recorded "
              "broadcasts that are sent in the name of others look like that too."};
    case ReplyReason::kNotTaken:
      return {true, "broadcasts of more servers than max_servers, or of one that is asked already",
              "Raise max_servers of [[broadcast_client]] if they are all yours."};
    case ReplyReason::kImplausible:
      return {true, "broadcasts that are not what their server answers when it is asked",
              "They are not used. The server's clock was set, its sending is delayed by more than "
              "milliseconds, or somebody holds broadcasts back or sends recorded ones."};
    case ReplyReason::kKissRate:
      return {true, "the server asks for fewer requests (kiss RATE); we obey, to poll 13 at most",
              "A single one may be forged and does no harm. If they go on, raise minpoll, and see "
              "whether other machines share this one's address."};
    case ReplyReason::kKissRateLong:
      return {true,
              "a kiss RATE that names a poll above the limit (RFC 8633 5.4), which we do not take",
              "It is what an attack looks like that wants to keep this machine from asking."};
    case ReplyReason::kKissDeny:
    case ReplyReason::kKissRstr:
      return {true, "the server refuses to serve us (kiss DENY or RSTR); it is replaced",
              "Use servers that you may use; ask whoever runs that one."};
    case ReplyReason::kWrongMode:
    case ReplyReason::kWrongVersion:
      return {true, "something that is no reply to a client, on the socket of a request",
              kSpoofing};
    case ReplyReason::kBogusTimes:
    case ReplyReason::kFutureReference:
    case ReplyReason::kZeroTimestamp:
      return {true, "a reply whose times contradict each other", kBrokenServer};
    case ReplyReason::kLocalClockStepped:
      return {true, "the system clock was set while a request was under way",
              "Find out what else sets the clock of this machine: another time daemon, a "
              "hypervisor's agent, a person."};
    default:
      return {};
  }
}

Advice advice_on(ntp::Reason reason) {
  switch (reason) {
    case ntp::Reason::kModeServer:
      return {true, "replies that came to the port of the server (RFC 8633 3.5)", kSpoofing};
    case ntp::Reason::kModeBroadcast:
      return {true, "broadcasts, which the server does not listen for",
              "Where [[broadcast_client]] listens each reaches the server's sockets of any address "
              "as well, and is dropped there. Else find out who sends them."};
    case ntp::Reason::kModeControl:
    case ntp::Reason::kModePrivate:
      return {true, "control messages from the network (modes 6 and 7), which are never answered",
              "Most often somebody who looks for open ntpd: nothing to do."};
    case ntp::Reason::kModeSymmetricActive:
    case ntp::Reason::kModeSymmetricPassive:
      return {true, "somebody wants to be our peer without being configured",
              "Configure them as a client of this server."};
    case ntp::Reason::kUnknownKey:
    case ntp::Reason::kBadDigest:
      return {true, "requests that are signed by a key we don't have, or wrongly (RFC 8633 5.3)",
              kKeys};
    case ntp::Reason::kKeyNotAllowed:
      return {true, "requests under a key whose address list does not have their sender",
              "Somebody has another machine's key, or the key file must name that address."};
    case ntp::Reason::kSourcePortZero:
      return {true, "requests from port 0, which can't be answered",
              "Forged or broken: nothing to do."};
    case ntp::Reason::kSourceAddress:
      return {true, "requests in the name of no host, of many, or of this server",
              "Forged: drop what comes with such sources at the border (BCP 38)."};
    case ntp::Reason::kRateLimited:
      return {true,
              "requests over the limits of [server.limits]: a flood, or a great many clients "
              "behind one address",
              "timepool ntp clients tells who they are; deny them, or raise the limit that they "
              "meet."};
    case ntp::Reason::kNotSent:
      return {
          true,
          "requests whose replies the system would not send: no way back, or forged in the name "
          "of a network's broadcast address",
          "See the routes and the firewall of this machine; else drop what comes with such "
          "sources at the border (BCP 38)."};
    default:
      return {};
  }
}

}  // namespace timepool::ntpd
