#include "dnsd/lookup.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "dns/compiled/explain.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

using wire::dns::DnsName;
using wire::dns::RrType;

// Records that a report names, those of the highest chance.
constexpr std::size_t kMaxCandidates = 100;

struct Question {
  DnsName name;
  RrType type = RrType::kA;
  IpAddress address;
};

Failure<Error> invalid(std::string detail) {
  return fail(Error{ErrorCode::kInvalid, "lookup", std::move(detail)});
}

Result<std::string> text_of(const json::object& request, std::string_view key) {
  const json::value* value = request.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || !value->is_string()) {
    return invalid("needs \"" + std::string(key) + "\"");
  }
  return std::string(value->get_string());
}

Result<Question> question_of(const json::object& request) {
  const std::string name_text = TRY(text_of(request, "name"));
  const std::string address_text = TRY(text_of(request, "address"));
  std::string type_text = "A";
  if (request.contains("type")) type_text = TRY(text_of(request, "type"));
  const auto name = DnsName::from_text(name_text);
  if (!name.ok()) return invalid("'" + name_text + "' is no domain name");
  const auto address = parse_ip(address_text);
  if (!address.ok()) return invalid("'" + address_text + "' is no address");
  const auto type = wire::dns::parse_type(type_text);
  if (!type.ok()) return invalid("'" + type_text + "' is no record type");
  return Question{*name, *type, address->unmapped()};
}

// The targets that the zone looks for, most specific first; "" is the plain label.
std::vector<std::string> targets_of(const dns::ClientClass& client, const dns::Zone& zone,
                                    const IpAddress& address) {
  const dns::Targeting& by = zone.targeting;
  std::vector<std::string> out;
  if (by.ip) {
    out.push_back("[" + format(address) + "]");
    const Prefix network(address, address.is_v4() ? 24 : 48);
    if (network.base() != address) out.push_back("[" + format(network.base()) + "]");
  }
  if (by.asn && client.asn != 0) out.push_back("as" + std::to_string(client.asn));
  if (by.country && client.country.known()) {
    out.push_back(client.country.text());
    const dns::CountryCode other = dns::other_name(client.country);
    if (other.known()) out.push_back(other.text());
  }
  if (by.continent && client.continent != dns::Continent::kNone) {
    out.emplace_back(name_of(client.continent));
  }
  if (by.global) out.emplace_back("");
  return out;
}

// `name` without `origin`, lower case, as labels of a zone document are named.
std::string base_of(const DnsName& name, const DnsName& origin) {
  std::string out;
  const std::size_t count = name.label_count() - origin.label_count();
  std::size_t done = 0;
  const DnsName lower = wire::dns::lowered(name);
  for (const std::string_view label : lower.labels()) {
    if (done++ == count) break;
    out += (out.empty() ? "" : ".") + std::string(label);
  }
  return out;
}

json::array levels_of(const Question& question, const dns::Explanation& found,
                      const dns::Zone& zone) {
  const std::string base = base_of(question.name, zone.origin);
  json::array out;
  for (const std::string& target : targets_of(found.client, zone, question.address)) {
    std::string name = base;
    if (!target.empty()) name += (name.empty() ? "" : ".") + target;
    const dns::Label* label = zone.find(name);
    json::object item;
    item["label"] = name.empty() ? "@" : name;
    item["exists"] = label != nullptr;
    item["has_type"] = label != nullptr && label->find(question.type) != nullptr;
    item["alias"] = label != nullptr && label->alias ? *label->alias : std::string();
    item["used"] = found.set != nullptr && (name.empty() ? "@" : name) == found.label;
    out.push_back(std::move(item));
  }
  return out;
}

std::string data_text(const dns::CompiledZones& zones, const dns::CompiledZones::Set& set,
                      std::uint32_t index) {
  const Bytes data = zones.record(set, index).subspan(dns::CompiledZones::kRecordHead);
  ByteReader reader(data);
  const auto rdata = wire::dns::parse_rdata(reader, set.type, data.size());
  return rdata.ok() ? format_rdata(*rdata) : std::string();
}

json::array candidates_of(const dns::CompiledZones& zones, const dns::CompiledZones::Set& set,
                          Prng& prng) {
  const std::vector<double> chance = chances(zones, set, prng);
  std::vector<std::uint32_t> order(set.count);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return chance[a] > chance[b]; });
  order.resize(std::min(order.size(), kMaxCandidates));
  json::array out;
  for (const std::uint32_t index : order) {
    json::object item;
    item["data"] = data_text(zones, set, index);
    if (set.weighted) item["weight"] = zones.weighted(set).weights[index];
    item["chance"] = chance[index];
    out.push_back(std::move(item));
  }
  return out;
}

// One answer, asked for with DNSSEC.
json::object answer_of(const Question& question, const Serving& serving) {
  std::array<std::byte, 512> query;
  wire::dns::MessageWriter writer(query);
  wire::dns::Header header;
  writer.header(header);
  wire::dns::EdnsHeader edns;
  edns.udp_size = 4096;
  edns.flags = wire::dns::EdnsHeader::kDo;
  const bool fits = writer.question(question.name, question.type) && writer.opt(edns);
  CHECK(fits);  // a name and an OPT
  std::vector<std::byte> reply(wire::dns::kMaxMessage);
  dns::Worker worker(sys::random_u64());
  const dns::Rx rx{question.address, true, static_cast<std::uint32_t>(sys::unix_now().seconds())};
  const dns::Outcome outcome =
      dns::respond(rx, writer.finish(),
                   {*serving.zones, serving.settings, serving.signed_zones.get()}, worker, reply);
  json::object out;
  out["reason"] = name_of(outcome.reason);
  const auto message = wire::dns::parse_message(Bytes(reply).first(outcome.length));
  if (!message.ok()) return out;
  out["rcode"] = format(message->rcode());
  json::array records;
  bool is_signed = false;
  auto cursor = message->records();
  while (const auto record = cursor.next()) {
    is_signed = is_signed || record->type == RrType::kRrsig;
    if (record->section != wire::dns::Section::kAnswer || record->type == RrType::kRrsig) continue;
    records.emplace_back(format(record->owner) + " " + std::to_string(record->ttl) + " " +
                         format(record->type) + " " + format_rdata(message->rdata(*record)));
  }
  out["records"] = std::move(records);
  out["signed"] = is_signed;
  return out;
}

}  // namespace

Result<json::object> lookup_report(const ZoneKeeper& keeper, const json::object& request) {
  const Question question = TRY(question_of(request));
  const ZoneKeeper::Answered now = keeper.now();
  const Serving& serving = now.serving;
  const dns::CompiledZones& zones = *serving.zones;
  const dns::Explanation found = explain(zones, question.name, question.type, question.address);
  json::object out;
  out["name"] = format(question.name);
  out["type"] = format(question.type);
  out["address"] = format(question.address);
  out["in_zone"] = found.in_zone;
  if (!found.in_zone) return out;
  out["zone"] = found.zone;
  const dns::CountryCode geo = serving.countries->find(question.address);
  out["geo_country"] = geo.text();
  out["geo_continent"] = name_of(dns::continent_of(geo));
  out["country"] = found.client.country.text();
  out["continent"] = name_of(found.client.continent);
  out["asn"] = found.client.asn;
  out["scope"] = found.scope;
  out["label"] = found.label;
  out["records"] = found.records;
  out["taken"] = found.taken;
  for (std::size_t i = 0; i < zones.zones().size(); ++i) {
    if (format(zones.zones()[i].origin) != found.zone) continue;
    out["levels"] = levels_of(question, found, *(*now.documents)[i].zone);
  }
  Prng prng(sys::random_u64());
  if (found.set != nullptr) out["candidates"] = candidates_of(zones, *found.set, prng);
  out["answer"] = answer_of(question, serving);
  return out;
}

}  // namespace timepool::dnsd
