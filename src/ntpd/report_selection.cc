#include <boost/json.hpp>

#include "ntpd/report.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

json::array options_of(const ntp::SelectOptions& options) {
  json::array out;
  if (options.noselect) out.push_back("noselect");
  if (options.prefer) out.push_back("prefer");
  if (options.trust) out.push_back("trust");
  if (options.require) out.push_back("require");
  return out;
}

// As the operator gave them; the policy about authentication may add to them.
ntp::SelectOptions configured(const ntp::SourceSet& set, const ntp::SourceReport& report) {
  for (const auto& [id, clock] : set.refclocks()) {
    if (id == report.association) return clock->config().select;
  }
  const ntp::Source* source = set.sources().find(report.source);
  return source != nullptr ? source->config().select : ntp::SelectOptions{};
}

json::object selection_object(const ntp::SourceSet& set, const ntp::SourceReport& report) {
  json::object out;
  out["source"] = report.name;
  out["kind"] = name_of(report.kind);
  out["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
  out["state"] = std::string(1, letter_of(report.cause));
  out["cause"] = name_of(report.cause);
  out["meaning"] = sentence_of(report.cause);
  out["authenticated"] = report.authenticated;
  out["key"] = report.key != 0 ? json::value(report.key) : json::value(nullptr);
  out["configured"] = options_of(configured(set, report));
  out["effective"] = options_of(report.options);
  out["score"] = report.score;
  if (!report.has_estimate) return out;
  const ntp::Estimate& estimate = report.estimate;
  out["age_s"] = report.age.to_seconds();
  out["low_s"] = (estimate.offset - estimate.distance).to_seconds();
  out["high_s"] = (estimate.offset + estimate.distance).to_seconds();
  out["leap"] = wire::ntp::name_of(estimate.sample.leap);
  return out;
}

}  // namespace

Result<json::object> selection_report(const Halves& halves, std::string_view source, MonoTime now) {
  json::array list;
  for (const ntp::SourceReport& report : TRY(matching_reports(halves, source, now))) {
    list.push_back(selection_object(halves.client->sources(), report));
  }
  json::object out;
  out["agreement"] = halves.client != nullptr ? name_of(halves.client->sources().agreement())
                                              : name_of(ntp::Agreement::kNobody);
  out["sources"] = std::move(list);
  return out;
}

}  // namespace timepool::ntpd
