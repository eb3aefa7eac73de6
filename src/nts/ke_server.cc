#include "nts/ke_server.h"

#include <algorithm>

#include "base/check.h"

namespace timepool::nts {
namespace {

namespace type = wire::nts::record_type;
using wire::nts::Record;
using wire::nts::write_record;
using wire::nts::write_u16_record;

// In the order of the enum; a test compares the two.
constexpr std::array<std::string_view, kKeReasonCount> kNames{
    "established",     "no_common_protocol", "no_common_aead", "unrecognised_critical",
    "gated_record",    "too_long",           "ended",          "late",
    "after_end",       "bad_record",         "not_critical",   "duplicate",
    "not_for_clients", "no_protocol",        "no_aead",        "no_keys",
    "no_cookies"};

std::string_view text_of(Bytes octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// A list of 16-bit numbers with one at least.
bool is_number_list(Bytes body) {
  return !body.empty() && body.size() % 2 == 0;
}

bool has_number(Bytes list, std::uint16_t number) {
  ByteReader reader(list);
  while (reader.remaining() > 0) {
    if (reader.u16() == number) return true;
  }
  return false;
}

}  // namespace

std::string_view name_of(KeReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  CHECK(index < kNames.size());
  return kNames[index];
}

// RFC 8915 4.1.3
std::optional<std::uint16_t> error_code_of(KeReason reason) {
  if (reason <= KeReason::kNoCommonAead) return std::nullopt;
  if (reason <= KeReason::kGatedRecord) return wire::nts::error_code::kUnrecognisedCritical;
  if (reason <= KeReason::kNoAead) return wire::nts::error_code::kBadRequest;
  return wire::nts::error_code::kInternal;
}

// The request's records as far as they matter: views of its octets.
struct KeServer::Request {
  std::optional<Bytes> protocols;
  std::optional<Bytes> aeads;
  std::optional<std::string_view> server;
  std::optional<std::uint16_t> port;
  bool compliant = false;

  std::optional<KeReason> take(const Record& record);
  std::optional<KeReason> take_list(const Record& record, std::optional<Bytes>& list);
  std::optional<KeReason> take_server(const Record& record);
  std::optional<KeReason> take_port(const Record& record);
  KeReason fault() const;
};

std::optional<KeReason> KeServer::Request::take_list(const Record& record,
                                                     std::optional<Bytes>& list) {
  if (list) return KeReason::kDuplicate;
  if (!is_number_list(record.body)) return KeReason::kBadRecord;
  list = record.body;
  return std::nullopt;
}

std::optional<KeReason> KeServer::Request::take_server(const Record& record) {
  if (server) return KeReason::kDuplicate;
  server = text_of(record.body);
  if (!is_server_name(*server)) return KeReason::kBadRecord;
  return std::nullopt;
}

std::optional<KeReason> KeServer::Request::take_port(const Record& record) {
  if (port) return KeReason::kDuplicate;
  if (record.body.size() != 2) return KeReason::kBadRecord;
  port = ByteReader(record.body).u16();
  return std::nullopt;
}

// Takes note of one record but the last, or says what is wrong with it.
std::optional<KeReason> KeServer::Request::take(const Record& record) {
  switch (record.type) {
    case type::kNextProtocol:
      if (!record.critical) return KeReason::kNotCritical;
      return take_list(record, protocols);
    case type::kAead:
      return take_list(record, aeads);
    case type::kError:
    case type::kWarning:
    case type::kCookie:
      return KeReason::kNotForClients;
    case type::kServer:
      return take_server(record);
    case type::kPort:
      return take_port(record);
    case type::kSupportedProtocols:
    case type::kSupportedAlgorithms:
    case type::kServerNames:
    case type::kFixedKeys:
      // draft-ietf-ntp-nts-keyexchange-pool: only for pools that prove themselves by a token that
      // we gave them, and there is none.
      return KeReason::kGatedRecord;
    case type::kCompliantGcmSiv:
      if (record.body.empty()) compliant = true;
      return std::nullopt;
    default:
      // RFC 8915 4: what is unknown and not critical is ignored.
      if (record.critical && record.type != type::kKeepAlive) {
        return KeReason::kUnrecognisedCritical;
      }
      return std::nullopt;
  }
}

// What is missing in the whole; kEstablished when nothing is.
KeReason KeServer::Request::fault() const {
  if (!protocols) return KeReason::kNoProtocol;
  if (!has_number(*protocols, wire::nts::kProtocolNtpv4)) return KeReason::kNoCommonProtocol;
  return aeads ? KeReason::kEstablished : KeReason::kNoAead;
}

KeServer::KeServer(const KeServerConfig& config, IpFamily family)
    : config_(config), family_(family) {
  CHECK(std::find(config.aeads.begin(), config.aeads.end(), AeadId::kAesSivCmac256) !=
        config.aeads.end());
  CHECK(config.servers.size() <= kMaxNtpServers);
  for (const NtpServer& it : config.servers) CHECK(it.name.empty() || is_server_name(it.name));
}

std::optional<KeReason> KeServer::feed(Bytes octets, KeyExporter& exporter, CookieMaker& cookies) {
  CHECK(!reason_);
  const std::size_t room = kMaxKeServerRequest - request_size_;
  const std::size_t taken = std::min(room, octets.size());
  std::copy_n(octets.begin(), taken, request_.begin() + static_cast<std::ptrdiff_t>(request_size_));
  request_size_ += taken;
  const auto end = end_.find(Bytes(request_).first(request_size_));
  if (!end) {
    if (octets.size() > room) return finish(KeReason::kTooLong);
    return std::nullopt;
  }
  if (*end < request_size_ || octets.size() > room) return finish(KeReason::kAfterEnd);
  Request request;
  const KeReason read = read_request(Bytes(request_).first(*end), request);
  if (read != KeReason::kEstablished) return finish(read);
  return finish(answer(request, exporter, cookies));
}

// RFC 8915 4: the first fault in the order of the records is the one that is told.
KeReason KeServer::read_request(Bytes message, Request& out) const {
  ByteReader reader(message);
  while (reader.remaining() > 0) {
    const Record record = wire::nts::read_record(reader);
    if (record.type == type::kEndOfMessage) {
      if (!record.critical) return KeReason::kNotCritical;
      if (!record.body.empty()) return KeReason::kBadRecord;
      break;
    }
    if (const auto fault = out.take(record)) return *fault;
  }
  return out.fault();
}

KeReason KeServer::answer(const Request& request, KeyExporter& exporter, CookieMaker& cookies) {
  // RFC 8915 4.1.5 leaves the choice among the client's to the server.
  for (const AeadId aead : config_.aeads) {
    if (has_number(*request.aeads, static_cast<std::uint16_t>(aead))) {
      return write_established(request, aead, exporter, cookies);
    }
  }
  return KeReason::kNoCommonAead;
}

KeReason KeServer::write_established(const Request& request, AeadId aead, KeyExporter& exporter,
                                     CookieMaker& cookies) {
  const bool gcm_siv = aead == AeadId::kAes128GcmSiv;
  const bool compliant = !gcm_siv || request.compliant;
  const auto keys = export_session_keys(
      exporter, aead, compliant ? GcmSivContext::kCompliant : GcmSivContext::kOfChrony44);
  if (!keys) return KeReason::kNoKeys;
  ByteWriter writer(response_);
  write_u16_record(true, type::kNextProtocol, wire::nts::kProtocolNtpv4, writer);
  write_u16_record(true, type::kAead, static_cast<std::uint16_t>(aead), writer);
  if (gcm_siv && compliant) write_record({false, type::kCompliantGcmSiv, {}}, writer);
  if (const NtpServer* server = server_for(request)) {
    const std::string_view name = server->name;
    if (!name.empty()) {
      write_record({true, type::kServer, std::as_bytes(std::span(name))}, writer);
    }
    if (server->port != kNtpPort) write_u16_record(true, type::kPort, server->port, writer);
  }
  std::array<std::byte, kMaxOwnCookie> buffer;
  for (std::size_t i = 0; i < kEstablishedCookies; ++i) {
    ByteWriter cookie(buffer);
    if (!cookies.make(*keys, cookie)) return KeReason::kNoCookies;
    write_record({false, type::kCookie, cookie.written()}, writer);
  }
  wire::nts::write_end_of_message(writer);
  CHECK(writer.ok());
  response_size_ = writer.size();
  aead_ = aead;
  return KeReason::kEstablished;
}

// RFC 8915 4.1.7, 4.1.8: of the servers that the client can reach at its family, the one that it
// asks for, else the first.
const NtpServer* KeServer::server_for(const Request& request) const {
  const auto reachable = [&](const NtpServer& it) {
    return it.name.empty() || may_serve_family(it.name, family_);
  };
  const auto wanted = [&](const NtpServer& it) {
    if (!request.server && !request.port) return false;
    if (request.server && !same_server_name(it.name, *request.server)) return false;
    return !request.port || it.port == *request.port;
  };
  const NtpServer* first = nullptr;
  for (const NtpServer& it : config_.servers) {
    if (!reachable(it)) continue;
    if (wanted(it)) return &it;
    if (first == nullptr) first = &it;
  }
  return first;
}

// Writes the response of everything but an establishment.
KeReason KeServer::finish(KeReason reason) {
  CHECK(!reason_);
  reason_ = reason;
  if (reason == KeReason::kEstablished) return reason;
  ByteWriter writer(response_);
  if (const auto code = error_code_of(reason)) {
    write_u16_record(true, type::kError, *code, writer);
  } else if (reason == KeReason::kNoCommonProtocol) {
    write_record({true, type::kNextProtocol, {}}, writer);
  } else {
    write_u16_record(true, type::kNextProtocol, wire::nts::kProtocolNtpv4, writer);
    write_record({true, type::kAead, {}}, writer);
  }
  wire::nts::write_end_of_message(writer);
  response_size_ = writer.size();
  return reason;
}

}  // namespace timepool::nts
