#include "dnsd/transfer_report.h"

#include <boost/json.hpp>
#include <utility>

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

// Zones that have labels of their own in metrics; of more, "status" tells.
constexpr std::size_t kZoneLabels = 256;

void write_journal(const JournalCounts& counts, net::MetricSink& sink) {
  const std::pair<const char*, std::uint64_t> events[] = {
      {"written", counts.written}, {"whole", counts.whole}, {"failed", counts.failed},
      {"corrupt", counts.corrupt}, {"cut", counts.cut},     {"too_long", counts.too_long}};
  for (const auto& [event, count] : events) {
    sink.counter(
        "timepool_dnsd_transfer_journal_total",
        "Versions that other servers could copy and that were written to disk, of which so "
        "many by a whole file; not written; files found corrupt, or cut off at a change; "
        "too long, so that the serial alone was kept.",
        count, {{"event", event}});
  }
  sink.counter("timepool_dnsd_transfer_journal_bytes_total",
               "Octets written to disk of what other servers copy.", counts.octets);
}

void write_signing(const TransferSignerCounts& counts, net::MetricSink& sink) {
  sink.counter("timepool_dnsd_transfer_signatures_total",
               "Signatures of zones for other servers, made or kept of the version before.",
               counts.made, {{"what", "made"}});
  sink.counter("timepool_dnsd_transfer_signatures_total",
               "Signatures of zones for other servers, made or kept of the version before.",
               counts.kept, {{"what", "kept"}});
  sink.counter("timepool_dnsd_transfer_signing_failures_total",
               "Times that a zone could not be signed for other servers.", counts.failures);
  sink.gauge("timepool_dnsd_transfer_signing_waiting",
             "Zones that wait to be signed for other servers.",
             static_cast<double>(counts.waiting));
}

}  // namespace

json::object transfer_report(const TransferReport& report) {
  json::object zones;
  for (const TransferReport::Zone& zone : report.zones) {
    zones[zone.name] = {
        {"serial", zone.serial}, {"differences", zone.differences}, {"signed", zone.is_signed}};
  }
  json::object requests;
  for (std::size_t i = 0; i < kTransferEnds; ++i) {
    requests[name_of(static_cast<TransferEnd>(i))] = report.ends[i];
  }
  json::object out;
  out["zones"] = std::move(zones);
  out["versions"] = report.versions;
  out["requests"] = std::move(requests);
  out["unproved"] = report.unproved;
  out["messages"] = report.messages;
  out["octets"] = report.octets;
  out["journal"] = {{"written", report.journal.written},  {"whole", report.journal.whole},
                    {"octets", report.journal.octets},    {"failed", report.journal.failed},
                    {"corrupt", report.journal.corrupt},  {"cut", report.journal.cut},
                    {"too_long", report.journal.too_long}};
  out["signatures"] = {{"made", report.signing.made},
                       {"kept", report.signing.kept},
                       {"failures", report.signing.failures},
                       {"waiting", report.signing.waiting}};
  return out;
}

json::object notify_report(const NotifierCounts& counts) {
  return {{"sent", counts.sent},
          {"answered", counts.answered},
          {"refused", counts.refused},
          {"given_up", counts.given_up}};
}

void write_transfer_metrics(const TransferReport& report, net::MetricSink& sink) {
  for (std::size_t i = 0; i < kTransferEnds; ++i) {
    sink.counter("timepool_dnsd_transfers_total",
                 "Requests of other servers for zones, by what they got.", report.ends[i],
                 {{"end", std::string(name_of(static_cast<TransferEnd>(i)))}});
  }
  sink.counter("timepool_dnsd_transfer_messages_total", "Messages of transfers made.",
               report.messages);
  sink.counter("timepool_dnsd_transfer_bytes_total", "Octets of those messages.", report.octets);
  sink.counter("timepool_dnsd_transfer_versions_total",
               "Versions of zones that other servers could copy.", report.versions);
  sink.counter("timepool_dnsd_tsig_unproved_total",
               "Requests whose TSIG record proves nothing: an unknown key, a wrong digest or time.",
               report.unproved);
  for (std::size_t i = 0; i < report.zones.size() && i < kZoneLabels; ++i) {
    sink.gauge("timepool_dnsd_transfer_serial", "Serial of what other servers may copy.",
               report.zones[i].serial, {{"zone", report.zones[i].name}});
  }
  write_journal(report.journal, sink);
  write_signing(report.signing, sink);
}

void write_notify_metrics(const NotifierCounts& counts, net::MetricSink& sink) {
  sink.counter("timepool_dnsd_notify_sent_total", "Notices of changed zones sent, each try.",
               counts.sent);
  const std::pair<const char*, std::uint64_t> ends[] = {
      {"answered", counts.answered}, {"refused", counts.refused}, {"given_up", counts.given_up}};
  for (const auto& [end, count] : ends) {
    sink.counter("timepool_dnsd_notify_ends_total", "Notices by what became of them.", count,
                 {{"end", end}});
  }
}

}  // namespace timepool::dnsd
