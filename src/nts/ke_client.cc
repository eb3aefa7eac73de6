#include "nts/ke_client.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::nts {
namespace {

namespace type = wire::nts::record_type;
using wire::nts::Record;
using wire::nts::write_record;
using wire::nts::write_u16_record;
using Fault = std::optional<KeClientError>;

struct ErrorText {
  std::string_view name;
  std::string_view text;
};
// In the order of the enum; a test compares the two.
constexpr std::array<ErrorText, kKeClientErrorCount> kTexts{{
    {"too_long", "the response is longer than 65,536 octets"},
    {"incomplete", "the server ended the connection before the End of Message"},
    {"after_end", "there are octets behind the End of Message"},
    {"bad_end", "the End of Message has a body or is not marked critical"},
    {"bad_record", "a record has a body of a length that its type does not have"},
    {"not_critical", "a record that has to be marked critical is not"},
    {"unrecognised_critical", "the server sent a critical record of a type that we do not know"},
    {"error_critical", "the server sent Error 0: it does not know a critical record of ours"},
    {"error_bad_request", "the server sent Error 1: it has not understood our request in time"},
    {"error_internal", "the server sent Error 2: it is out of order, ask again later"},
    {"error_other", "the server sent an Error with a code that RFC 8915 does not have"},
    {"warning", "the server sent a Warning, and RFC 8915 has none"},
    {"no_protocol", "the response has no Next Protocol Negotiation"},
    {"duplicate", "the response has a record twice that may be there once"},
    {"protocol_not_offered", "the server chose a protocol that we did not offer"},
    {"no_common_protocol", "the server does not serve NTPv4"},
    {"no_aead", "the response has no AEAD Algorithm Negotiation"},
    {"many_aeads", "the server chose more than one AEAD algorithm"},
    {"aead_not_offered", "the server chose an AEAD algorithm that we did not offer"},
    {"no_common_aead", "the server has none of the AEAD algorithms that we offered"},
    {"no_cookies", "the response has no cookie of a length that we take (1 to 1,104 octets)"},
    {"bad_server_name", "the NTPv4 Server Negotiation holds neither an address nor a name"},
    {"bad_port", "the NTPv4 Port Negotiation holds port 0"},
    {"no_keys", "the TLS session gave no keys"},
}};

// The records of a response as far as they matter.
struct Response {
  std::optional<Bytes> protocols;
  std::optional<Bytes> aeads;
  std::optional<std::string_view> server;
  std::optional<std::uint16_t> port;
  bool compliant = false;
  std::vector<Cookie> cookies;  // at most kMaxCookies

  Fault take(const Record& record);
  Fault take_list(const Record& record, std::optional<Bytes>& list);
  Fault take_server(const Record& record);
  Fault take_port(const Record& record);
  void take_cookie(const Record& record);
};

// RFC 8915 4.1.3
KeClientError error_of(std::uint16_t code) {
  switch (code) {
    case wire::nts::error_code::kUnrecognisedCritical:
      return KeClientError::kErrorCritical;
    case wire::nts::error_code::kBadRequest:
      return KeClientError::kErrorBadRequest;
    case wire::nts::error_code::kInternal:
      return KeClientError::kErrorInternal;
    default:
      return KeClientError::kErrorOther;
  }
}

// RFC 8915 4.1.3, 4.1.4: each ends the establishment, whatever else the response says.
KeClientError alarm_of(const Record& record) {
  if (!record.critical) return KeClientError::kNotCritical;
  if (record.body.size() != 2) return KeClientError::kBadRecord;
  if (record.type == type::kWarning) return KeClientError::kWarning;
  return error_of(ByteReader(record.body).u16());
}

Fault Response::take_list(const Record& record, std::optional<Bytes>& list) {
  if (list) return KeClientError::kDuplicate;
  if (record.body.size() % 2 != 0) return KeClientError::kBadRecord;
  list = record.body;
  return std::nullopt;
}

Fault Response::take_server(const Record& record) {
  if (server) return KeClientError::kDuplicate;
  const std::string_view name(reinterpret_cast<const char*>(record.body.data()),
                              record.body.size());
  if (!is_server_name(name)) return KeClientError::kBadServerName;
  server = name;
  return std::nullopt;
}

Fault Response::take_port(const Record& record) {
  if (port) return KeClientError::kDuplicate;
  if (record.body.size() != 2) return KeClientError::kBadRecord;
  port = ByteReader(record.body).u16();
  if (*port == 0) return KeClientError::kBadPort;
  return std::nullopt;
}

// Those of a length that we can't use, and those beyond the eighth, are left.
void Response::take_cookie(const Record& record) {
  if (record.body.empty() || record.body.size() > kMaxCookieSize) return;
  if (cookies.size() < kMaxCookies) cookies.emplace_back(record.body.begin(), record.body.end());
}

// Takes note of one record but the last, or says what is wrong with it.
Fault Response::take(const Record& record) {
  switch (record.type) {
    case type::kNextProtocol:
      if (!record.critical) return KeClientError::kNotCritical;
      return take_list(record, protocols);
    case type::kError:
    case type::kWarning:
      return alarm_of(record);
    case type::kAead:
      return take_list(record, aeads);
    case type::kCookie:
      take_cookie(record);
      return std::nullopt;
    case type::kServer:
      return take_server(record);
    case type::kPort:
      return take_port(record);
    case type::kCompliantGcmSiv:
      if (record.body.empty()) compliant = true;
      return std::nullopt;
    case type::kKeepAlive:
      return std::nullopt;
    default:
      // RFC 8915 4: what is unknown and not critical is ignored.
      if (record.critical) return KeClientError::kUnrecognisedCritical;
      return std::nullopt;
  }
}

// Reads the records of a message that is there as a whole.
Fault read_response(Bytes message, Response& out) {
  ByteReader reader(message);
  while (reader.remaining() > 0) {
    const Record record = wire::nts::read_record(reader);
    if (record.type == type::kEndOfMessage) {
      if (!record.critical || !record.body.empty()) return KeClientError::kBadEnd;
      break;
    }
    if (const Fault fault = out.take(record)) return fault;
  }
  return std::nullopt;
}

// RFC 8915 4.1.2: NTPv4 and nothing that was not offered.
Fault judge_protocol(const Response& response) {
  if (!response.protocols) return KeClientError::kNoProtocol;
  if (response.protocols->empty()) return KeClientError::kNoCommonProtocol;
  ByteReader reader(*response.protocols);
  while (reader.remaining() > 0) {
    if (reader.u16() != wire::nts::kProtocolNtpv4) return KeClientError::kProtocolNotOffered;
  }
  return std::nullopt;
}

// RFC 8915 4.1.5: one of those that were offered.
Result<AeadId, KeClientError> chosen_aead(const Response& response,
                                          const StaticVector<AeadId, kAeadCount>& offered) {
  if (!response.aeads) return fail(KeClientError::kNoAead);
  if (response.aeads->empty()) return fail(KeClientError::kNoCommonAead);
  if (response.aeads->size() > 2) return fail(KeClientError::kManyAeads);
  const std::uint16_t number = ByteReader(*response.aeads).u16();
  for (const AeadId it : offered) {
    if (static_cast<std::uint16_t>(it) == number) return it;
  }
  return fail(KeClientError::kAeadNotOffered);
}

// Who sends no record 1024 may be chrony 4.4 to 4.6. False when the TLS session gives none.
bool export_keys(Establishment& out, AeadId aead, bool compliant, KeyExporter& exporter) {
  const auto of_rfc = export_session_keys(exporter, aead, GcmSivContext::kCompliant);
  if (!of_rfc) return false;
  out.keys = *of_rfc;
  if (aead != AeadId::kAes128GcmSiv || compliant) return true;
  const auto of_chrony = export_session_keys(exporter, aead, GcmSivContext::kOfChrony44);
  if (!of_chrony) return false;
  out.keys = *of_chrony;
  out.other_keys = of_rfc;
  return true;
}

std::string without_last_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return std::string(name);
}

Result<Establishment, KeClientError> establish(Response& response,
                                               const StaticVector<AeadId, kAeadCount>& offered,
                                               KeyExporter& exporter) {
  if (const Fault fault = judge_protocol(response)) return fail(*fault);
  const AeadId aead = TRY(chosen_aead(response, offered));
  if (response.cookies.empty()) return fail(KeClientError::kNoCookies);
  Establishment out;
  if (!export_keys(out, aead, response.compliant, exporter)) return fail(KeClientError::kNoKeys);
  out.cookies = std::move(response.cookies);
  if (response.server) out.server = without_last_dot(*response.server);
  if (response.port) out.port = *response.port;
  return out;
}

std::vector<std::byte> request_of(const KeClientConfig& config) {
  std::array<std::byte, kMaxKeRequest> buffer;
  ByteWriter writer(buffer);
  write_u16_record(true, type::kNextProtocol, wire::nts::kProtocolNtpv4, writer);
  std::array<std::byte, 2 * kAeadCount> numbers;
  ByteWriter list(numbers);
  for (const AeadId it : config.aeads) list.u16(static_cast<std::uint16_t>(it));
  write_record({true, type::kAead, list.written()}, writer);
  if (std::find(config.aeads.begin(), config.aeads.end(), AeadId::kAes128GcmSiv) !=
      config.aeads.end()) {
    write_record({false, type::kCompliantGcmSiv, {}}, writer);
  }
  // RFC 8915 4.1.7, 4.1.8: a client should not mark its wishes critical.
  if (!config.ntp_server.empty()) {
    write_record({false, type::kServer, std::as_bytes(std::span(config.ntp_server))}, writer);
  }
  if (config.ntp_port != 0) write_u16_record(false, type::kPort, config.ntp_port, writer);
  for (const std::string& it : config.denied) {
    write_record({false, type::kServerDeny, std::as_bytes(std::span(it))}, writer);
  }
  wire::nts::write_end_of_message(writer);
  CHECK(writer.ok());
  const Bytes written = writer.written();
  return {written.begin(), written.end()};
}

}  // namespace

std::string_view name_of(KeClientError error) {
  const auto index = static_cast<std::size_t>(error);
  CHECK(index < kTexts.size());
  return kTexts[index].name;
}

std::string_view describe(KeClientError error) {
  const auto index = static_cast<std::size_t>(error);
  CHECK(index < kTexts.size());
  return kTexts[index].text;
}

// RFC 8915 4.1.3: codes 0 and 1 stay what they are, 2 may go away.
bool may_retry_unmodified(KeClientError error) {
  return error != KeClientError::kErrorCritical && error != KeClientError::kErrorBadRequest;
}

KeClient::KeClient(const KeClientConfig& config) : aeads_(config.aeads) {
  CHECK(!config.aeads.empty());
  CHECK(config.ntp_server.empty() || is_server_name(config.ntp_server));
  CHECK(config.denied.size() <= kMaxDeniedServers);
  for (const std::string& it : config.denied) CHECK(is_server_name(it));
  request_ = request_of(config);
}

std::optional<Result<Establishment, KeClientError>> KeClient::feed(Bytes octets,
                                                                   KeyExporter& exporter) {
  CHECK(!done_);
  const std::size_t taken = std::min(octets.size(), kMaxKeResponse - response_.size());
  response_.insert(response_.end(), octets.begin(),
                   octets.begin() + static_cast<std::ptrdiff_t>(taken));
  const auto end = end_.find(response_);
  const bool too_long = taken < octets.size();
  if (!end && !too_long) return std::nullopt;
  done_ = true;
  if (!end) return fail(KeClientError::kTooLong);
  if (*end < response_.size() || too_long) return fail(KeClientError::kAfterEnd);
  Response response;
  if (const Fault fault = read_response(response_, response)) return fail(*fault);
  return establish(response, aeads_, exporter);
}

std::optional<std::uint16_t> KeClient::error_code() const {
  ByteReader reader(response_);
  while (reader.ok() && reader.remaining() > 0) {
    const Record record = wire::nts::read_record(reader);
    if (record.type == type::kError && record.body.size() == 2) {
      return ByteReader(record.body).u16();
    }
  }
  return std::nullopt;
}

KeClientError KeClient::handle_end() {
  done_ = true;
  return KeClientError::kIncomplete;
}

}  // namespace timepool::nts
