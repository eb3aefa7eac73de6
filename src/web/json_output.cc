#include "web/json_output.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "web/json_text.h"

namespace timepool::web {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

boost::json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}
value text(std::string_view in) {
  return value(view(in));
}
template <class T>
value maybe(const std::optional<T>& in) {
  return in ? value(*in) : value(nullptr);
}
value time_of(const std::optional<UnixTime>& in) {
  return in ? text(format_utc(*in)) : value(nullptr);
}

object object_of(const service::NtsView& nts) {
  object out;
  out["state"] = text(pool::name_of(nts.state));
  if (nts.state == pool::NtsState::kUnnamed) return out;
  array uris;
  for (const std::string& uri : nts.account_uris) uris.push_back(text(uri));
  out["reason"] = text(nts.reason);
  out["since"] = text(format_utc(nts.since));
  out["name"] = text(nts.name);
  out["full_name"] = text(nts.full_name);
  out["port"] = nts.port;
  out["account_uris"] = std::move(uris);
  out["in_srv"] = nts.listed;
  out["not_after"] = time_of(nts.not_after);
  out["last_check"] = time_of(nts.last_check);
  return out;
}

object object_of(const store::NtsChange& change) {
  object out;
  out["time"] = text(format_utc(change.time));
  out["name"] = text(change.name);
  out["state"] = text(change.state);
  out["reason"] = text(change.reason);
  return out;
}

object object_of(const store::NtsCheckEntry& check) {
  object out;
  out["time"] = text(format_utc(check.time));
  out["monitor"] = check.monitor_id;
  out["outcome"] = text(check.outcome);
  out["code"] = maybe(check.code);
  out["detail"] = text(check.detail);
  out["not_after"] = time_of(check.not_after);
  out["cookies"] = maybe(check.cookies);
  out["aead"] = maybe(check.aead);
  out["ke_ms"] = maybe(check.ke_ms);
  out["offset"] = maybe(check.offset_s);
  return out;
}

template <class T>
array array_of(const std::vector<T>& items) {
  array out;
  for (const T& item : items) out.push_back(object_of(item));
  return out;
}

object object_of(const service::ServerView& view) {
  const store::Server& server = view.server;
  array zones;
  for (const std::string& zone : view.zones) zones.push_back(text(zone));
  object out;
  out["id"] = server.id;
  out["address"] = text(format(server.address));
  out["hostname"] = text(server.hostname);
  out["country"] = text(server.country);
  out["zones"] = std::move(zones);
  out["netspeed"] = server.netspeed;
  out["active"] = server.in_pool;
  out["in_dns"] = view.in_dns;
  out["score"] = server.score;
  out["stratum"] = maybe(server.stratum);
  out["last_offset"] = maybe(server.last_offset_s);
  out["last_rtt"] = maybe(server.last_rtt_s);
  out["last_check"] = time_of(server.last_check);
  out["reason"] = text(view.reason);
  out["owner"] = text(server.owner);
  out["nts"] = object_of(view.nts);
  return out;
}

object object_of(const service::MonitorView& monitor) {
  object out;
  out["id"] = monitor.id;
  out["name"] = text(monitor.name);
  out["status"] = text(monitor.status);
  out["score"] = monitor.pair.raw;
  out["offset"] = maybe(monitor.pair.last_offset_s);
  out["rtt"] = maybe(monitor.pair.last_rtt_s);
  out["last_check"] = text(format_utc(monitor.pair.last_check));
  out["reason"] = text(monitor.pair.last_reason);
  return out;
}

object object_of(const pool::FamilyReport& report) {
  object out;
  out["own"] = report.own;
  out["filled"] = report.filled;
  out["capacity"] = report.capacity;
  out["capped"] = report.capped;
  return out;
}

object object_of(const store::ScoreEntry& entry) {
  object out;
  out["time"] = text(format_utc(entry.time));
  out["score"] = entry.score;
  out["step"] = entry.step;
  out["reason"] = text(entry.reason);
  out["offset"] = maybe(entry.offset_s);
  out["rtt"] = maybe(entry.rtt_s);
  out["samples"] = entry.samples;
  out["lost"] = entry.lost;
  return out;
}

object object_of(const store::Monitor& monitor) {
  object out;
  out["id"] = monitor.id;
  out["name"] = text(monitor.name);
  out["address"] = text(monitor.address);
  out["status"] = text(monitor.status);
  out["created"] = text(format_utc(monitor.created));
  out["last_seen"] = time_of(monitor.last_seen);
  return out;
}

// The pool's numbers: nine decimals, without zeros at the end.
std::string decimal(double in) {
  std::string out = fmt::format("{:.9f}", in);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

// The error column of the log: empty for a check with an answer.
std::string_view log_error(const store::ScoreEntry& entry) {
  return entry.offset_s ? std::string_view() : std::string_view(entry.reason);
}

object monitor_entry(std::int64_t id, std::string_view name, std::string_view type,
                     const std::optional<UnixTime>& time, double score, std::string_view status) {
  object out;
  out["id"] = id;
  out["name"] = text(name);
  out["type"] = text(type);
  out["ts"] = text(time ? format_utc(*time, 0) : "0001-01-01T00:00:00Z");
  out["score"] = std::round(score * 10) / 10;
  out["status"] = text(status);
  return out;
}

}  // namespace

std::string server_json(const service::ServerView& view) {
  return json_text(object_of(view));
}

std::string servers_json(const std::vector<service::ServerView>& views) {
  array servers;
  for (const service::ServerView& view : views) servers.push_back(object_of(view));
  object out;
  out["servers"] = std::move(servers);
  return json_text(out);
}

std::string server_detail_json(const service::ServerDetail& detail) {
  object out = object_of(detail.view);
  array monitors;
  for (const service::MonitorView& monitor : detail.monitors) {
    monitors.push_back(object_of(monitor));
  }
  array history;
  for (const store::ScoreEntry& entry : detail.history) history.push_back(object_of(entry));
  out["monitors"] = std::move(monitors);
  out["history"] = std::move(history);
  object handed_out;
  handed_out["days"] = service::kHandedOutDays;
  handed_out["count"] = detail.handed_out;
  handed_out["share"] = detail.handed_out_share();
  out["handed_out"] = std::move(handed_out);
  out["nts_changes"] = array_of(detail.nts_changes);
  out["nts_checks"] = array_of(detail.nts_checks);
  return json_text(out);
}

std::string handed_out_json(const service::HandedOutShares& shares) {
  array servers;
  for (const auto& server : shares.servers) {
    object item;
    item["address"] = text(format(server.address));
    item["count"] = server.count;
    item["share"] = static_cast<double>(server.count) / static_cast<double>(shares.all);
    servers.push_back(std::move(item));
  }
  object out;
  out["days"] = shares.days;
  out["count"] = shares.all;
  out["servers"] = std::move(servers);
  return json_text(out);
}

std::string names_json(const std::string& zone,
                       const std::map<std::string, pool::NameReport>& names) {
  array list;
  for (const auto& [name, report] : names) {
    object item;
    item["name"] = text(name.empty() ? "@" : name);
    item["v4"] = object_of(report.v4);
    item["v6"] = object_of(report.v6);
    item["nts"] = object_of(report.nts);
    list.push_back(std::move(item));
  }
  object out;
  out["zone"] = text(zone);
  out["names"] = std::move(list);
  return boost::json::serialize(out);
}

std::string monitors_json(const std::vector<store::Monitor>& monitors) {
  array list;
  for (const store::Monitor& monitor : monitors) list.push_back(object_of(monitor));
  object out;
  out["monitors"] = std::move(list);
  return json_text(out);
}

std::string new_monitor_json(const service::NewMonitor& monitor) {
  object out;
  out["id"] = monitor.monitor.id;
  out["name"] = text(monitor.monitor.name);
  out["token"] = text(monitor.token);
  return json_text(out);
}

std::string work_json(const std::vector<service::WorkItem>& items, Duration interval) {
  array work;
  for (const service::WorkItem& item : items) {
    object entry;
    entry["server"] = item.server;
    entry["address"] = text(format(item.address));
    entry["port"] = item.port;
    entry["samples"] = item.samples;
    entry["ticket"] = text(item.ticket);
    if (item.nts) {
      object nts;
      nts["name"] = text(item.nts->name);
      nts["port"] = item.nts->port;
      nts["trust"] = text(item.nts->trust);
      entry["nts"] = std::move(nts);
    }
    work.push_back(std::move(entry));
  }
  object out;
  out["work"] = std::move(work);
  out["interval_ms"] = interval.ns() / 1'000'000;
  return json_text(out);
}

std::string scores_json(const service::Manager::History& history) {
  array entries;
  for (const store::ScoreEntry& entry : history.entries) {
    object one;
    one["ts"] = entry.time.seconds();
    if (entry.offset_s) one["offset"] = *entry.offset_s;
    one["step"] = entry.step;
    one["score"] = entry.score;
    one["monitor_id"] = entry.monitor_id.value_or(0);
    entries.push_back(std::move(one));
  }
  array monitors;
  monitors.push_back(monitor_entry(0, kMedianName, "score", history.server.last_check,
                                   history.server.score, "active"));
  for (const store::Pair& pair : history.pairs) {
    for (const store::Monitor& monitor : history.monitors) {
      if (monitor.id != pair.monitor_id) continue;
      monitors.push_back(monitor_entry(monitor.id, monitor.name, "monitor", pair.last_check,
                                       pair.raw, monitor.status));
    }
  }
  object server;
  server["ip"] = text(format(history.server.address));
  object out;
  out["history"] = std::move(entries);
  out["monitors"] = std::move(monitors);
  out["server"] = std::move(server);
  return json_text(out);
}

std::string scores_csv(const service::Manager::History& history) {
  std::map<std::int64_t, std::string_view> names{{0, kMedianName}};
  for (const store::Monitor& monitor : history.monitors) names[monitor.id] = monitor.name;
  std::string out = "ts_epoch,ts,offset,step,score,monitor_id,monitor_name,leap,error\n";
  for (const store::ScoreEntry& entry : history.entries) {
    std::string time = format_utc(entry.time, 0);  // 2026-01-31T12:34:56Z
    time[10] = ' ';
    time.pop_back();
    const std::int64_t monitor = entry.monitor_id.value_or(0);
    const std::int64_t leap = entry.leap.value_or(0);
    out += fmt::format("{},{},{},{},{},{},{},{},{}\n", entry.time.seconds(), time,
                       entry.offset_s ? decimal(*entry.offset_s) : "", decimal(entry.step),
                       decimal(entry.score), monitor, names[monitor],
                       leap == 0 ? "" : std::to_string(leap), log_error(entry));
  }
  return out;
}

}  // namespace timepool::web
