#include "ntp/responder.h"

#include "base/byte_writer.h"
#include "base/check.h"
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

// What follows the header; the plain request of 48 octets takes no parsing.
Reason judge_rest(Bytes request) {
  if (request.size() == wire::ntp::kHeaderSize) return Reason::kAnsweredPlain;
  const auto packet = wire::ntp::parse_packet(request);
  if (!packet.ok()) return reason_of(packet.error());
  if (packet->mac.kind != wire::ntp::MacKind::kNone) return Reason::kAnsweredMacIgnored;
  return Reason::kAnsweredFieldsIgnored;
}

Reason judge(const RxInfo& rx, Bytes request, Header& header) {
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
  return judge_rest(request);
}

// RFC 5905 9.2 and figure 21: the fields of a server's reply.
Header reply_to(const Header& request, const RxInfo& rx, const ServerState& state) {
  Header out;
  out.version = request.version;
  out.mode = Mode::kServer;
  out.poll = request.poll;
  out.precision = state.precision;
  out.origin = request.transmit;
  out.receive = to_ntp(rx.received + state.test_offset);
  out.leap = Leap::kUnsynchronised;
  if (!state.synchronised()) {
    // B28: the reference id stays zero rather than "INIT".
    return out;
  }
  out.leap = state.leap;
  out.stratum = state.stratum;
  out.root_delay = to_ntp_short(state.root_delay);
  out.root_dispersion = to_ntp_short(root_dispersion_at(state, rx.received));
  out.reference_id = state.reference_id;
  out.reference = to_ntp(state.reference_time + state.test_offset);
  return out;
}

}  // namespace

Response respond(const RxInfo& rx, Bytes request, const ServerState& state, MutableBytes out) {
  CHECK(out.size() >= wire::ntp::kHeaderSize);
  Header header;
  const Reason reason = judge(rx, request, header);
  if (!is_answered(reason)) return {Verdict::kDrop, reason, 0};
  ByteWriter writer(out);
  wire::ntp::write_header(reply_to(header, rx, state), writer);
  CHECK(writer.ok() && writer.size() <= request.size());
  return {Verdict::kReply, state.synchronised() ? reason : Reason::kAnsweredUnsynchronised,
          writer.size()};
}

void set_transmit(MutableBytes reply, const ServerState& state, UnixTime now) {
  wire::ntp::set_transmit(reply, to_ntp(now + state.test_offset));
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::kAnsweredPlain:
      return "answered_plain";
    case Reason::kAnsweredFieldsIgnored:
      return "answered_fields_ignored";
    case Reason::kAnsweredMacIgnored:
      return "answered_mac_ignored";
    case Reason::kAnsweredUnsynchronised:
      return "answered_unsynchronised";
    case Reason::kTooShort:
      return "too_short";
    case Reason::kBadLength:
      return "bad_length";
    case Reason::kBadVersion:
      return "bad_version";
    case Reason::kBadField:
      return "bad_field";
    case Reason::kTooManyFields:
      return "too_many_fields";
    case Reason::kBadMac:
      return "bad_mac";
    case Reason::kSourcePortZero:
      return "source_port_zero";
    case Reason::kModeReserved:
      return "mode_reserved";
    case Reason::kModeSymmetricActive:
      return "mode_symmetric_active";
    case Reason::kModeSymmetricPassive:
      return "mode_symmetric_passive";
    case Reason::kModeServer:
      return "mode_server";
    case Reason::kModeBroadcast:
      return "mode_broadcast";
    case Reason::kModeControl:
      return "mode_control";
    case Reason::kModePrivate:
      break;
  }
  return "mode_private";
}

}  // namespace timepool::ntp
