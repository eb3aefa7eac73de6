// Our DNS codec as a filter for tests: one command a line on standard input, one JSON object a line
// on standard output.
//
//   read HEX          the message as text, or {"error": reason}
//   answer SEED HEX   a random answer to the query: {"hex": message}
//   type MNEMONIC     {"type": number}
#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/hex.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/query.h"
#include "wire/dns/record_generator.h"

namespace timepool::wire::dns {
namespace {

namespace json = boost::json;

constexpr const char* kSections[] = {"answer", "authority", "additional"};

json::array flags_of(const Header& header) {
  constexpr std::pair<std::uint16_t, const char*> kFlags[] = {
      {Header::kQr, "qr"}, {Header::kAa, "aa"}, {Header::kTc, "tc"}, {Header::kRd, "rd"},
      {Header::kRa, "ra"}, {Header::kAd, "ad"}, {Header::kCd, "cd"}};
  json::array out;
  for (const auto& [flag, name] : kFlags) {
    if (header.has(flag)) out.push_back(json::string(name));
  }
  return out;
}

json::object edns_of(const Edns& edns) {
  json::object out{{"udp", edns.header.udp_size},
                   {"version", edns.header.version},
                   {"do", edns.header.has(EdnsHeader::kDo)}};
  if (edns.client_subnet) {
    out["subnet"] = fmt::format("{}/{}/{}", format(edns.client_subnet->address),
                                edns.client_subnet->source, edns.client_subnet->scope);
  }
  if (edns.cookie) out["cookie"] = to_hex(edns.cookie->client) + to_hex(edns.cookie->server);
  if (edns.nsid) out["nsid"] = to_hex(*edns.nsid);
  if (edns.extended_error) out["ede"] = edns.extended_error->code;
  return out;
}

json::object read(const std::string& hex) {
  const auto bytes = from_hex(hex);
  if (!bytes.ok()) return {{"error", "hex"}};
  const auto message = parse_message(*bytes);
  if (!message.ok()) return {{"error", std::string(name_of(message.error()))}};
  const Header& header = message->header();
  json::object out{{"id", header.id},
                   {"opcode", format(header.opcode())},
                   {"rcode", format(message->rcode())},
                   {"flags", flags_of(header)},
                   {"counts",
                    {header.question_count, header.answer_count, header.authority_count,
                     header.additional_count}}};
  json::array questions;
  for (const Question& q : message->questions()) {
    questions.push_back({format(q.name), format(q.klass), format(q.type)});
  }
  out["questions"] = std::move(questions);
  if (message->edns()) out["edns"] = edns_of(*message->edns());
  json::array records;
  RecordCursor cursor = message->records();
  while (const auto record = cursor.next()) {
    if (record->type == RrType::kOpt) continue;
    records.push_back({kSections[static_cast<int>(record->section)], format(record->owner),
                       record->ttl, format(record->klass), format(record->type),
                       format_rdata(message->rdata(*record))});
  }
  out["records"] = std::move(records);
  return out;
}

json::object answer(std::uint64_t seed, const std::string& hex) {
  const auto bytes = from_hex(hex);
  if (!bytes.ok()) return {{"error", "hex"}};
  const auto query = parse_query(*bytes);
  if (!query.ok()) return {{"error", std::string(name_of(query.error()))}};
  RecordGenerator generator(seed);
  std::vector<std::byte> buffer(kMaxMessage);
  MessageWriter writer(buffer, query->udp_limit());
  Header header = query->header;
  header.set(Header::kQr);
  header.set(Header::kAa, generator.prng().below(2) == 0);
  header.set_rcode(generator.prng().below(4) == 0 ? Rcode::kNxDomain : Rcode::kNoError);
  writer.header(header);
  bool fits = writer.question(query->name, query->type, query->klass) && writer.reserve(kOptSize);
  for (std::uint64_t left = 1 + generator.prng().below(3); fits && left > 0; --left) {
    fits = writer.record(Section::kAnswer, query->name, query->type, query->klass,
                         static_cast<std::uint32_t>(generator.prng().below(1U << 31)),
                         generator.rdata(query->type));
  }
  for (const Section section : {Section::kAuthority, Section::kAdditional}) {
    for (std::uint64_t left = generator.prng().below(3); fits && left > 0; --left) {
      const RrType type = generator.type();
      fits =
          writer.record(section, generator.name(), type, RrClass::kIn, 60, generator.rdata(type));
    }
  }
  if (!fits) writer.truncate();
  if (query->edns && !writer.opt({.udp_size = 1232, .flags = query->edns->header.flags})) {
    return {{"error", "no room"}};
  }
  return {{"hex", to_hex(writer.finish())}};
}

json::object type_number(const std::string& mnemonic) {
  const auto type = parse_type(mnemonic);
  if (!type.ok()) return {{"error", std::string(name_of(type.error()))}};
  return {{"type", static_cast<int>(*type)}};
}

json::object run(const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::string argument;
  std::uint64_t seed = 0;
  words >> command;
  if (command == "answer") words >> seed;
  words >> argument;
  if (command == "read") return read(argument);
  if (command == "answer") return answer(seed, argument);
  if (command == "type") return type_number(argument);
  return {{"error", "no such command"}};
}

}  // namespace
}  // namespace timepool::wire::dns

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << boost::json::serialize(timepool::wire::dns::run(line)) << std::endl;
  }
  return 0;
}
