#include <fmt/format.h>

#include <boost/json.hpp>

#include "ntpd/report.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {}  // namespace

bool is_named(const ntp::SourceReport& report, std::string_view text) {
  if (report.name == text) return true;
  if (!report.server) return false;
  return format(*report.server) == text || format(report.server->address) == text;
}

namespace {

Error no_such_source(std::string_view source, const std::vector<ntp::SourceReport>& reports) {
  std::string known;
  for (const ntp::SourceReport& report : reports) {
    known += (known.empty() ? "" : ", ") + (report.server ? format(*report.server) : report.name);
  }
  return Error{ErrorCode::kNotFound, fmt::format("no source {}", source.substr(0, 255)),
               known.empty() ? "there are none" : "there are " + known};
}

// What the server said of itself, and what the exchange gave.
void add_answer(const ntp::Reply& reply, json::object& out) {
  const ntp::Sample& sample = reply.sample;
  out["reason"] = name_of(reply.reason);
  out["leap"] = wire::ntp::name_of(sample.leap);
  out["version"] = sample.version;
  out["mode"] = wire::ntp::name_of(wire::ntp::Mode::kServer);
  out["stratum"] = sample.stratum;
  out["poll"] = sample.poll;
  out["precision"] = sample.precision;
  out["root_delay_s"] = sample.root_delay.to_seconds();
  out["root_dispersion_s"] = sample.root_dispersion.to_seconds();
  out["reference_id"] = format(sample.reference_id, sample.stratum);
  out["reference_id_hex"] = fmt::format("{:08X}", sample.reference_id.bits());
  out["kiss"] = sample.kiss == wire::ntp::KissCode::kNone
                    ? json::value(nullptr)
                    : json::value(wire::ntp::name_of(sample.kiss));
  if (!reply.has_times) return;
  out["offset_s"] = sample.offset.to_seconds();
  out["delay_s"] = sample.delay.to_seconds();
  out["dispersion_s"] = sample.dispersion.to_seconds();
  out["response_s"] = sample.response.to_seconds();
  out["interleaved"] = sample.interleaved;
  out["transmit_stamp"] = name_of(sample.sent_by);
  out["receive_stamp"] = name_of(sample.received_by);
  if (sample.reference_time == NtpTimestamp()) return;
  out["reference_time"] = format_utc(to_unix(sample.reference_time, sample.at.raw));
}

json::object packets_object(const TimeClient& client, const ntp::SourceReport& report) {
  json::object out;
  out["source"] = report.name;
  out["address"] = format(*report.server);
  const auto local = client.local_address(report.association);
  out["local_address"] = local ? json::value(format(*local)) : json::value(nullptr);
  out["poll"] = report.poll;
  out["authenticated"] = report.authenticated;
  out["key"] = report.key != 0 ? json::value(report.key) : json::value(nullptr);
  out["sent"] = report.requests;
  out["received"] = report.received;
  out["answered"] = report.answered;
  out["accepted"] = report.accepted;
  out["last_reason"] = report.requests > 0 ? name_of(report.last_reason) : "none";
  out["answer"] = nullptr;
  if (report.last_answer) {
    json::object answer;
    add_answer(*report.last_answer, answer);
    out["answer"] = std::move(answer);
  }
  return out;
}

}  // namespace

Result<std::vector<ntp::SourceReport>> matching_reports(const Halves& halves,
                                                        std::string_view source, MonoTime now) {
  std::vector<ntp::SourceReport> all;
  if (halves.client != nullptr) all = halves.client->keeper().reports(now);
  if (source.empty()) return all;
  std::vector<ntp::SourceReport> out;
  for (const ntp::SourceReport& report : all) {
    if (is_named(report, source)) out.push_back(report);
  }
  if (out.empty()) return fail(no_such_source(source, all));
  return out;
}

Result<json::object> packets_report(const Halves& halves, std::string_view source, MonoTime now) {
  json::array list;
  for (const ntp::SourceReport& report : TRY(matching_reports(halves, source, now))) {
    if (report.server) list.push_back(packets_object(*halves.client, report));
  }
  json::object out;
  out["sources"] = std::move(list);
  return out;
}

}  // namespace timepool::ntpd
