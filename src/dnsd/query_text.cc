#include "dnsd/query_text.h"

#include <array>
#include <boost/json.hpp>

#include "dnsd/frame_stream.h"
#include "wire/dns/message.h"
#include "wire/dns/query.h"
#include "wire/dns/rdata.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxAnswers = 256;
// dnstap.proto: Message.Type.
constexpr std::uint64_t kAuthQuery = 1;
constexpr std::uint64_t kAuthResponse = 2;

void put_query(Bytes bytes, json::object& out) {
  const auto query = wire::dns::parse_query(bytes);
  if (!query.ok() || !query->has_question) return;
  out["name"] = format(query->name);
  out["type"] = format(query->type);
  out["class"] = format(query->klass);
  if (query->edns && query->edns->client_subnet) {
    const auto& subnet = *query->edns->client_subnet;
    if (subnet.family != 0) out["subnet"] = format(subnet.prefix());
  }
}

void put_reply(Bytes bytes, json::object& out) {
  const auto message = wire::dns::parse_message(bytes);
  if (!message.ok()) return;
  out["rcode"] = format(message->rcode());
  if (message->header().has(wire::dns::Header::kTc)) out["truncated"] = true;
  if (message->edns() && message->edns()->client_subnet) {
    out["scope"] = message->edns()->client_subnet->scope;
  }
  json::array answers;
  auto cursor = message->records();
  while (auto record = cursor.next()) {
    if (record->section != wire::dns::Section::kAnswer || answers.size() == kMaxAnswers) break;
    answers.emplace_back(format(record->type) + " " + format_rdata(message->rdata(*record)));
  }
  out["answers"] = std::move(answers);
}

// Protocol buffers' wire format: as much of it as dnstap needs.
class Protobuf {
 public:
  void number(unsigned field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void fixed32(unsigned field, std::uint32_t value) {
    varint(field << 3 | 5);
    for (int shift = 0; shift < 32; shift += 8) {
      text_.push_back(static_cast<char>(value >> shift & 0xff));
    }
  }
  void bytes(unsigned field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    text_.append(value);
  }
  void bytes(unsigned field, Bytes value) {
    bytes(field, {reinterpret_cast<const char*>(value.data()), value.size()});
  }
  const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_.push_back(static_cast<char>(value | 0x80));
    text_.push_back(static_cast<char>(value));
  }
  std::string text_;
};

void put_time(Protobuf& out, unsigned field, UnixTime time) {
  out.number(field, static_cast<std::uint64_t>(time.seconds()));
  out.fixed32(field + 1, static_cast<std::uint32_t>(time.ns() - time.seconds() * 1'000'000'000));
}

// dnstap.proto's Message.
Protobuf tap_message(const SeenQuery& seen, std::uint64_t type) {
  Protobuf out;
  out.number(1, type);
  out.number(2, seen.from.address.is_v4() ? 1 : 2);
  // SocketProtocol: UDP, TCP, DOT.
  out.number(3, static_cast<std::uint64_t>(seen.transport) + 1);
  out.bytes(4, seen.from.address.bytes());
  if (seen.to.port != 0) out.bytes(5, seen.to.address.bytes());
  if (seen.from.port != 0) out.number(6, seen.from.port);
  if (seen.to.port != 0) out.number(7, seen.to.port);
  put_time(out, 8, seen.received);
  if (type == kAuthQuery) {
    if (!seen.query.empty()) out.bytes(10, seen.query);
    return out;
  }
  put_time(out, 12, seen.replied);
  if (!seen.reply.empty()) out.bytes(14, seen.reply);
  return out;
}

void append_frame(const Protobuf& message, std::string_view identity, std::string& out) {
  Protobuf frame;
  if (!identity.empty()) frame.bytes(1, identity);
  frame.bytes(2, "timepool-dnsd");
  frame.number(15, 1);
  frame.bytes(14, message.text());
  append_data_frame(frame.text(), out);
}

}  // namespace

std::string json_line(const QueryRing::Kept& kept) {
  const SeenQuery& seen = kept.seen;
  json::object out;
  out["time"] = format_utc(seen.received, 6);
  out["client"] = format(seen.from.address);
  if (seen.from.port != 0) out["port"] = seen.from.port;
  constexpr std::array kTransports{"udp", "tcp", "tls"};
  out["transport"] = kTransports[static_cast<std::size_t>(seen.transport)];
  put_query(seen.query, out);
  out["reason"] = name_of(seen.reason);
  put_reply(seen.reply, out);
  out["query_size"] = kept.query_size;
  out["reply_size"] = kept.reply_size;
  return json::serialize(out) + '\n';
}

void append_dnstap(const QueryRing::Kept& kept, std::string_view identity, std::string& out) {
  append_frame(tap_message(kept.seen, kAuthQuery), identity, out);
  if (kept.reply_size > 0) append_frame(tap_message(kept.seen, kAuthResponse), identity, out);
}

std::string dnstap_start() {
  return control_frame(StreamControl::kStart);
}

std::string dnstap_stop() {
  return control_frame(StreamControl::kStop);
}

}  // namespace timepool::dnsd
