#include "ntp/server/responder.h"

#include <algorithm>
#include <array>

#include "base/byte_writer.h"
#include "base/check.h"
#include "ntp/server/keyed_answer.h"
#include "ntp/server/source_address.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;
using wire::ntp::PacketError;

Reason reason_of(PacketError error) {
  switch (error) {
    case PacketError::kTooShort:
      return Reason::kTooShort;
    case PacketError::kBadLength:
      return Reason::kBadLength;
    case PacketError::kBadVersion:
      return Reason::kBadVersion;
    case PacketError::kBadField:
      return Reason::kBadField;
    case PacketError::kTooManyFields:
      return Reason::kTooManyFields;
    case PacketError::kBadMac:
      break;
  }
  return Reason::kBadMac;
}

// The reason to drop a mode, or kAnsweredPlain for the one that is served.
Reason judge_mode(Mode mode) {
  switch (mode) {
    case Mode::kClient:
      return Reason::kAnsweredPlain;
    case Mode::kSymmetricActive:
      return Reason::kModeSymmetricActive;
    case Mode::kSymmetricPassive:
      return Reason::kModeSymmetricPassive;
    case Mode::kServer:
      return Reason::kModeServer;
    case Mode::kBroadcast:
      return Reason::kModeBroadcast;
    case Mode::kControl:
      return Reason::kModeControl;
    case Mode::kPrivate:
      return Reason::kModePrivate;
    case Mode::kReserved:
      break;
  }
  return Reason::kModeReserved;
}

// Modes 6 and 7 have formats of their own, so they are named by the first octet whatever the rest.
Reason judge_first_octet(Bytes request) {
  if (request.empty()) return Reason::kTooShort;
  const auto mode = static_cast<Mode>(std::to_integer<unsigned>(request[0]) & 7);
  if (mode == Mode::kControl || mode == Mode::kPrivate) return judge_mode(mode);
  return Reason::kAnsweredPlain;
}

// What follows the header, with the MAC that the request ends with; the plain request of 48 octets
// takes no parsing.
Reason judge_rest(const RxInfo& rx, Bytes request, const KeyRing* keys, wire::ntp::Mac& mac) {
  if (request.size() == wire::ntp::kHeaderSize) return Reason::kAnsweredPlain;
  if (keys != nullptr) {
    if (const auto lone = wire::ntp::lone_mac(request)) {
      mac = *lone;
      return judge_mac(*keys, request, mac, rx.client.address);
    }
  }
  const auto packet = wire::ntp::parse_packet(request);
  if (!packet.ok()) return reason_of(packet.error());
  mac = packet->mac;
  if (mac.kind == wire::ntp::MacKind::kNone) return Reason::kAnsweredFieldsIgnored;
  return keys != nullptr ? judge_mac(*keys, request, mac, rx.client.address)
                         : Reason::kAnsweredMacIgnored;
}

// All but what follows the header.
Reason judge_header(const RxInfo& rx, Bytes request, Header& header) {
  if (const Reason reason = judge_first_octet(request); reason != Reason::kAnsweredPlain) {
    return reason;
  }
  if (request.size() < wire::ntp::kHeaderSize) return Reason::kTooShort;
  if (request.size() % 4 != 0) return Reason::kBadLength;
  ByteReader reader(request);
  header = wire::ntp::read_header(reader);
  if (header.version < wire::ntp::kMinVersion || header.version > wire::ntp::kMaxVersion) {
    return Reason::kBadVersion;
  }
  const Reason mode = judge_mode(wire::ntp::effective_mode(header, rx.client.port));
  if (mode != Reason::kAnsweredPlain) return mode;
  if (rx.client.port == 0) return Reason::kSourcePortZero;
  if (!is_one_host(rx.client.address) || rx.client == rx.local) return Reason::kSourceAddress;
  return Reason::kAnsweredPlain;
}

// RFC 5905 9.2 and figure 21: the fields of a server's reply.
Header reply_to(const Header& request, const RxInfo& rx, const ServerState& state,
                const ServedTime& served) {
  Header out;
  out.version = request.version;
  out.mode = Mode::kServer;
  out.poll = request.poll;
  out.precision = state.precision;
  out.origin = request.transmit;
  const UnixTime received = served.received(state.shift, rx.received);
  out.receive = to_ntp(received + state.test_offset);
  out.leap = Leap::kUnsynchronised;
  if (!state.vouches(rx.received)) {
    // B28: the reference id stays zero rather than "INIT".
    return out;
  }
  out.leap = state.leap;
  out.stratum = state.stratum;
  out.root_delay = to_ntp_short(state.root_delay);
  out.root_dispersion = to_ntp_short(root_dispersion_at(state, rx.received));
  out.reference_id = state.reference_id;
  // Never later than the others, even when the clock was stepped back since.
  const UnixTime reference = std::min(state.reference_time, rx.received);
  out.reference = to_ntp(reference + (received - rx.received) + state.test_offset);
  return out;
}

// RFC 5905 7.4: RATE, which has no time in it but the origin by which the client knows it. Clients
// take the poll interval as advice at the most: the one they asked with, or the usual shortest.
Header kiss_to(const Header& request, const RxInfo& rx, const ServerState& state) {
  constexpr std::int8_t kUsualPoll = 6;
  Header out = reply_to(request, rx, ServerState{}, ServedTime());
  out.poll = std::max(request.poll, kUsualPoll);
  out.precision = state.precision;
  out.reference_id = wire::ntp::ReferenceId::from_text("RATE");
  return out;
}

Response kiss(const Header& asked, const RxInfo& rx, const ServerState& state, MutableBytes out) {
  ByteWriter writer(out);
  wire::ntp::write_header(kiss_to(asked, rx, state), writer);
  CHECK(writer.ok());
  Response response;
  response.verdict = Verdict::kReply;
  response.reason = Reason::kRateKod;
  response.length = writer.size();
  return response;
}

Response dropped(Reason reason) {
  Response out;
  out.reason = reason;
  return out;
}

// RFC 9769: not without time of our own, nor where the request has parts that we don't serve.
bool may_be_interleaved(Reason reason) {
  return reason == Reason::kAnsweredPlain || reason == Reason::kAnsweredKeyed;
}

// What a request is answered by.
struct Means {
  const ServerState& state;
  const ServedTime& served;
  const KeyRing* keys;
};

// The answer to a request whose header was found good.
Response answer(const Header& header, const RxInfo& rx, Bytes request, const Means& means,
                MutableBytes out) {
  wire::ntp::Mac mac;
  Response response;
  response.reason = judge_rest(rx, request, means.keys, mac);
  if (!is_answered(response.reason)) return response;
  CHECK(out.size() >= wire::ntp::kHeaderSize);
  ByteWriter writer(out);
  const Header reply = reply_to(header, rx, means.state, means.served);
  wire::ntp::write_header(reply, writer);
  if (response.reason == Reason::kAnsweredKeyed) {
    response.key = mac.key_id;
    write_unsigned_mac(mac, writer);
  }
  CHECK(writer.ok() && writer.size() <= request.size());
  response.verdict = Verdict::kReply;
  if (!means.state.vouches(rx.received)) response.reason = Reason::kAnsweredUnsynchronised;
  response.length = writer.size();
  response.receive = reply.receive;
  return response;
}

}  // namespace

Response respond(const RxInfo& rx, Bytes request, const ServerState& state, MutableBytes out) {
  Header header;
  const Reason reason = judge_header(rx, request, header);
  if (!is_answered(reason)) return dropped(reason);
  return answer(header, rx, request, {state, ServedTime(), nullptr}, out);
}

void set_transmit(MutableBytes reply, const ServerState& state, UnixTime now) {
  wire::ntp::set_transmit(reply, to_ntp(ServedTime().sent(state.shift, now) + state.test_offset));
}

Responder::Responder(const Options& options) {
  if (options.interleaved_replies > 0) interleaved_.emplace(options.interleaved_replies);
  if (options.clients > 0) limiter_ = std::make_unique<RateLimiter>(options.clients, options.seed);
}

// Whether the request is judged further; a reason to answer when it is.
Reason Responder::admit(const RxInfo& rx, Bytes request, const Service& service, Header& header) {
  if (const Reason reason = judge_first_octet(request); !is_answered(reason)) return reason;
  if (service.access && !service.access->serves(rx.client.address, rx.interface)) {
    return Reason::kDenied;
  }
  const Reason reason = judge_header(rx, request, header);
  if (!is_answered(reason) || !limiter_) return reason;
  const Asker asker{rx.client.address, header.version, static_cast<std::uint8_t>(header.mode)};
  switch (limiter_->judge(asker, rx.now, service.limits)) {
    case LimitVerdict::kDrop:
      return Reason::kRateLimited;
    case LimitVerdict::kRate:
      return Reason::kRateKod;
    case LimitVerdict::kPass:
      break;
  }
  return reason;
}

void Responder::begin_batch(const Service& service, UnixTime system, MonoTime mono) {
  served_.look(service.state.shift, system, mono);
}

Response Responder::respond(const RxInfo& rx, Bytes request, const Service& service,
                            MutableBytes out) {
  // `out` may be the request's own buffer.
  std::array<std::byte, wire::ntp::kHeaderSize> asked;
  const bool whole = request.size() >= asked.size();
  if (interleaved_ && whole) std::copy_n(request.begin(), asked.size(), asked.begin());
  Header header;
  const Reason reason = admit(rx, request, service, header);
  if (reason == Reason::kRateKod) return kiss(header, rx, service.state, out);
  if (!is_answered(reason)) return dropped(reason);
  Response response =
      answer(header, rx, request, {service.state, served_, service.keys.get()}, out);
  if (!interleaved_ || !may_be_interleaved(response.reason)) return response;
  response.remembered = InterleavedStore::asks(asked);
  if (response.remembered && interleaved_->answer(asked, out.first(response.length))) {
    response.interleaved = true;
    if (response.key == 0) response.reason = Reason::kAnsweredInterleaved;
  }
  return response;
}

void Responder::finish(const Response& response, const Service& service, UnixTime now,
                       MutableBytes reply) {
  if (!response.interleaved) wire::ntp::set_transmit(reply, told(service.state, now));
  if (response.key != 0) sign_reply(*service.keys, response.key, reply);
}

// What is told of the moment at which the system clock reads `when`.
NtpTimestamp Responder::told(const ServerState& state, UnixTime when) const {
  return to_ntp(served_.sent(state.shift, when) + state.test_offset);
}

void Responder::sent(const Response& response, const Service& service, UnixTime when) {
  if (!response.remembered || !service.state.synchronised()) return;
  interleaved_->sent(response.receive, told(service.state, when));
}

void Responder::correct(const Response& response, const Service& service, UnixTime when) {
  if (!response.remembered || !service.state.synchronised()) return;
  interleaved_->correct(response.receive, told(service.state, when));
}

}  // namespace timepool::ntp
