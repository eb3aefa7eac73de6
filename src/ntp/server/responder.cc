#include "ntp/server/responder.h"

#include <algorithm>
#include <array>

#include "base/byte_writer.h"
#include "base/check.h"
#include "ntp/server/keyed_answer.h"
#include "ntp/server/packet_reason.h"
#include "ntp/server/source_address.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;

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

// What a request is answered by.
struct Means {
  const ServerState& state;
  const ServedTime& served;
  const KeyRing* keys;
  NtsAnswer* nts;
};

// What follows the header of a request.
struct Rest {
  Reason reason = Reason::kAnsweredPlain;
  wire::ntp::Mac mac;
  nts::Asked nts;
};

Reason reason_of(nts::AskVerdict verdict) {
  switch (verdict) {
    case nts::AskVerdict::kMalformed:
      return Reason::kNtsMalformed;
    case nts::AskVerdict::kNak:
      return Reason::kNtsNak;
    case nts::AskVerdict::kAuthentic:
      return Reason::kAnsweredNts;
    case nts::AskVerdict::kNone:
      break;
  }
  return Reason::kAnsweredFieldsIgnored;
}

Bytes unique_id_of(const wire::ntp::Packet& packet) {
  const wire::ntp::ExtensionField* id = packet.field(wire::ntp::field_type::kUniqueIdentifier);
  return id == nullptr ? Bytes() : id->body;
}

// The plain request of 48 octets takes no parsing.
void judge_rest(const RxInfo& rx, Bytes request, const Means& means, Rest& out) {
  if (request.size() == wire::ntp::kHeaderSize) return;
  if (means.keys != nullptr) {
    if (const auto lone = wire::ntp::lone_mac(request)) {
      out.mac = *lone;
      out.reason = judge_mac(*means.keys, request, out.mac, rx.client.address);
      return;
    }
  }
  const auto packet = wire::ntp::parse_packet(request);
  if (!packet.ok()) {
    out.reason = packet_reason<Reason>(packet.error());
    return;
  }
  if (means.nts != nullptr) {
    out.nts = means.nts->judge(request, *packet);
    out.reason = reason_of(out.nts.verdict);
    // RFC 8915 5.7: what stands behind the authenticator proves nothing, a MAC neither.
    if (out.nts.verdict != nts::AskVerdict::kNone) return;
  } else {
    out.nts.unique_id = unique_id_of(*packet);
  }
  out.mac = packet->mac;
  if (out.mac.kind == wire::ntp::MacKind::kNone) {
    out.reason = Reason::kAnsweredFieldsIgnored;
  } else if (means.keys != nullptr) {
    out.reason = judge_mac(*means.keys, request, out.mac, rx.client.address);
  } else {
    out.reason = Reason::kAnsweredMacIgnored;
  }
}

// All but what follows the header.
Reason judge_header(const RxInfo& rx, Bytes request, Header& header) {
  if (const Reason reason = judge_first_octet(request); reason != Reason::kAnsweredPlain) {
    return reason;
  }
  if (request.size() < wire::ntp::kHeaderSize) return Reason::kTooShort;
  if (request.size() % 4 != 0) return Reason::kBadLength;
  header = wire::ntp::read_request(request);
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

// RFC 5905 7.4: a kiss has no time in it but the origin by which the client knows it. Clients take
// the poll interval as advice at the most: the one they asked with, or the usual shortest.
Header kiss_to(const Header& request, const RxInfo& rx, const ServerState& state, Reason reason) {
  constexpr std::int8_t kUsualPoll = 6;
  Header out = reply_to(request, rx, ServerState{}, ServedTime());
  out.poll = std::max(request.poll, kUsualPoll);
  out.precision = state.precision;
  out.reference_id =
      wire::ntp::ReferenceId::from_text(reason == Reason::kRateKod ? "RATE" : "NTSN");
  return out;
}

// RFC 8915 5.3, where the caller has room for it.
void echo(Bytes unique_id, ByteWriter& writer) {
  if (writer.remaining() < wire::ntp::kFieldHeaderSize + unique_id.size()) return;
  nts::echo_unique_id(unique_id, writer);
}

// RFC 8915 5.7: by its unique identifier the client knows that it is told so by whom it asked, and
// nothing else may follow.
Response kiss(const Header& asked, const RxInfo& rx, const ServerState& state, Reason reason,
              Bytes unique_id, MutableBytes out) {
  ByteWriter writer(out);
  wire::ntp::write_header(kiss_to(asked, rx, state, reason), writer);
  CHECK(writer.ok());
  echo(unique_id, writer);
  Response response;
  response.verdict = Verdict::kReply;
  response.reason = reason;
  response.length = writer.size();
  return response;
}

Response dropped(Reason reason) {
  Response out;
  out.reason = reason;
  return out;
}

// Of a request that is not judged further.
Bytes unique_id_in(Bytes request) {
  if (request.size() == wire::ntp::kHeaderSize) return {};
  const auto packet = wire::ntp::parse_packet(request);
  return packet.ok() ? unique_id_of(*packet) : Bytes();
}

// RFC 9769: not without time of our own, nor where the request has parts that we don't serve.
bool may_be_interleaved(Reason reason) {
  return reason == Reason::kAnsweredPlain || reason == Reason::kAnsweredKeyed ||
         reason == Reason::kAnsweredNts;
}

// The answer to a request whose header was found good.
Response answer(const Header& header, const RxInfo& rx, Bytes request, const Means& means,
                MutableBytes out) {
  Rest rest;
  judge_rest(rx, request, means, rest);
  if (rest.reason == Reason::kNtsNak) {
    if (!means.nts->may_nak(rx.now)) return dropped(Reason::kNtsNakLimited);
    return kiss(header, rx, means.state, rest.reason, rest.nts.unique_id, out);
  }
  if (!is_answered(rest.reason)) return dropped(rest.reason);
  Response response;
  response.reason = rest.reason;
  CHECK(out.size() >= wire::ntp::kHeaderSize);
  ByteWriter writer(out);
  const Header reply = reply_to(header, rx, means.state, means.served);
  wire::ntp::write_header(reply, writer);
  if (rest.reason == Reason::kAnsweredKeyed) {
    response.key = rest.mac.key_id;
    write_unsigned_mac(rest.mac, writer);
  } else if (rest.reason == Reason::kAnsweredNts) {
    response.nts = means.nts->write(rest.nts, writer);
  } else {
    echo(rest.nts.unique_id, writer);
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
  return answer(header, rx, request, {state, ServedTime(), nullptr, nullptr}, out);
}

void set_transmit(MutableBytes reply, const ServerState& state, UnixTime now) {
  wire::ntp::set_transmit(reply, to_ntp(ServedTime().sent(state.shift, now) + state.test_offset));
}

Responder::Responder(const Options& options) : aeads_(options.aeads), random_(options.random) {
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

NtsAnswer* Responder::nts_of(const Service& service) {
  if (!service.cookies || !aeads_ || !random_) return nullptr;
  if (!nts_) {
    nts_ = std::make_unique<NtsAnswer>(*aeads_, *random_);
    nts_counts_.store(nts_.get(), std::memory_order_release);
  }
  nts_->use(*service.cookies);
  return nts_.get();
}

void Responder::add_counts(nts::CookieCounts& out) const {
  const NtsAnswer* const nts = nts_counts_.load(std::memory_order_acquire);
  if (nts != nullptr) nts->cookies().add_counts(out);
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
  if (reason == Reason::kRateKod) {
    return kiss(header, rx, service.state, reason, unique_id_in(request), out);
  }
  if (!is_answered(reason)) return dropped(reason);
  const Means means{service.state, served_, service.keys.get(), nts_of(service)};
  Response response = answer(header, rx, request, means, out);
  if (!interleaved_ || !may_be_interleaved(response.reason)) return response;
  response.remembered = InterleavedStore::asks(asked);
  if (response.remembered && interleaved_->answer(asked, out.first(response.length))) {
    response.interleaved = true;
    if (response.key == 0 && response.nts == 0) response.reason = Reason::kAnsweredInterleaved;
  }
  return response;
}

void Responder::finish(const Response& response, const Service& service, UnixTime now,
                       MutableBytes reply) {
  if (!response.interleaved) wire::ntp::set_transmit(reply, told(service.state, now));
  if (response.key != 0) sign_reply(*service.keys, response.key, reply);
  if (response.nts != 0) nts_->finish(response.nts, reply);
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
