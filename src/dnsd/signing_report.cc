#include "dnsd/signing_report.h"

#include <boost/json/array.hpp>

namespace timepool::dnsd {

namespace json = boost::json;

json::object signing_report(const SigningReport& report) {
  json::object out;
  out["sets"] = report.sets;
  out["drawn"] = report.drawn;
  out["missing"] = report.missing;
  out["signatures"] = report.signatures;
  out["failures"] = report.failures;
  out["versions"] = report.published;
  out["memory"] = report.memory;
  out["behind_s"] = report.behind_s;
  out["first_pass_s"] = report.last_first_pass_s;
  json::array problems;
  for (const std::string& problem : report.problems) problems.emplace_back(problem);
  out["problems"] = std::move(problems);
  return out;
}

void write_signing_metrics(const SigningReport& report, net::MetricSink& sink) {
  sink.counter("timepool_dnsd_signatures_total", "Signatures made ahead of answers.",
               report.signatures);
  sink.counter("timepool_dnsd_signature_failures_total", "Record sets that could not be signed.",
               report.failures);
  sink.gauge("timepool_dnsd_signed_sets", "Record sets of signed zones, by owner.",
             static_cast<double>(report.sets));
  sink.gauge("timepool_dnsd_signed_memory_bytes", "Memory of the signed answers.",
             static_cast<double>(report.memory));
  sink.gauge("timepool_dnsd_signing_behind_seconds",
             "How long a drawn answer is over the time at which it was to be drawn anew.",
             report.behind_s);
  sink.gauge("timepool_dnsd_oldest_signature_timestamp_seconds",
             "When the oldest signature was made.", report.oldest);
}

}  // namespace timepool::dnsd
