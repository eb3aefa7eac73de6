#include <boost/json.hpp>

#include "ntp/explain.h"
#include "ntpd/report.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

ntp::SourceFacts facts_of(const TimeClient& client, const ntp::SourceReport& report, MonoTime now) {
  ntp::SourceFacts out;
  out.report = report;
  out.prospects = client.sources().prospects(report, now);
  out.tracking = client.keeper().tracking(now);
  out.agreement = client.sources().agreement();
  out.config = client.sources().selection_config();
  return out;
}

}  // namespace

Result<json::object> explain_report(const Halves& halves, std::string_view source, MonoTime now) {
  json::array list;
  for (const ntp::SourceReport& report : TRY(matching_reports(halves, source, now))) {
    const ntp::SourceFacts facts = facts_of(*halves.client, report, now);
    json::array sentences;
    for (const std::string& sentence : ntp::explain(facts)) sentences.emplace_back(sentence);
    json::object one;
    one["title"] = ntp::title_of(facts);
    one["source"] = report.name;
    one["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
    one["cause"] = ntp::name_of(report.cause);
    one["letter"] = std::string(1, ntp::letter_of(report.cause));
    one["sentences"] = std::move(sentences);
    list.push_back(std::move(one));
  }
  json::object out;
  out["sources"] = std::move(list);
  return out;
}

}  // namespace timepool::ntpd
