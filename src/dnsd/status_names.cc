#include "dnsd/status_names.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <vector>

#include "sys/clock.h"
#include "sys/version.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/query.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

using wire::dns::NameView;
using wire::dns::RrType;

constexpr std::uint32_t kTtl = 1;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

// What the name is asked in: the zone that is served, or "pgeodns".
bool is_place(NameView parent, const dns::Outcome& outcome, const Serving& serving) {
  if (outcome.zone != dns::Outcome::kNone) {
    return parent == serving.zones->zones()[outcome.zone].origin.view();
  }
  return parent.label_count() == 1 && wire::dns::same_label(parent.first_label(), "pgeodns");
}

std::vector<std::string> country_texts(const dns::Rx& rx, const dns::Outcome& outcome,
                                       const Serving& serving) {
  const dns::CountryCode country = serving.countries->find(outcome.client);
  std::string targets;
  for (const std::string& target :
       {country.text(), std::string(name_of(dns::continent_of(country))), std::string("@")}) {
    if (!target.empty()) targets += (targets.empty() ? "" : " ") + target;
  }
  int scope = 0;
  if (outcome.zone != dns::Outcome::kNone) {
    scope = serving.zones->zones()[outcome.zone].classes->find(outcome.client).scope;
  }
  return {format(rx.source), format(outcome.client), targets, "/" + std::to_string(scope),
          serving.settings.identity};
}

}  // namespace

StatusNames::StatusNames()
    : host_(host_name()), started_(static_cast<std::uint32_t>(sys::unix_now().seconds())) {}

std::string StatusNames::status_text(const dns::Rx& rx, const Serving& serving) const {
  json::object out;
  out["v"] = sys::version();
  out["id"] = serving.settings.identity;
  out["h"] = host_;
  // As geodns has it, a text.
  out["up"] = std::to_string(rx.now - started_);
  std::string text = json::serialize(out);
  // One string of a TXT record; only a host name of 200 characters would be cut.
  text.resize(std::min<std::size_t>(text.size(), 255));
  return text;
}

std::uint16_t StatusNames::answer(const dns::Rx& rx, const dns::Outcome& outcome, Bytes request,
                                  const Serving& serving, MutableBytes reply) const {
  const auto query = wire::dns::parse_query(request);
  if (!query.ok() || !query->has_question || query->klass != wire::dns::RrClass::kIn) return 0;
  const bool status = wire::dns::same_label(query->name.first_label(), "_status");
  const bool country = wire::dns::same_label(query->name.first_label(), "_country");
  if ((!status && !country) || !is_place(query->name.parent(), outcome, serving)) return 0;
  std::vector<std::byte> rdata;
  for (const std::string& text : status ? std::vector<std::string>{status_text(rx, serving)}
                                        : country_texts(rx, outcome, serving)) {
    rdata.push_back(static_cast<std::byte>(text.size()));
    for (const char c : text) rdata.push_back(static_cast<std::byte>(c));
  }
  wire::dns::MessageWriter writer(reply, rx.tcp ? reply.size() : query->udp_limit());
  wire::dns::Header header = query->header;
  header.flags = static_cast<std::uint16_t>(wire::dns::Header::kQr | wire::dns::Header::kAa |
                                            (query->header.flags & wire::dns::Header::kRd));
  writer.header(header);
  bool fits = writer.question(query->name, RrType::kTxt) &&
              writer.raw(wire::dns::Section::kAnswer, query->name, RrType::kTxt,
                         wire::dns::RrClass::kIn, kTtl, rdata);
  if (query->edns) {
    wire::dns::EdnsHeader edns;
    edns.udp_size = serving.settings.max_udp;
    fits = fits && writer.opt(edns);
  }
  return fits ? static_cast<std::uint16_t>(writer.finish().size()) : std::uint16_t{0};
}

}  // namespace timepool::dnsd
