#include "web/pages.h"

#include <ctemplate/template.h>
#include <ctemplate/template_cache.h>
#include <fmt/format.h>

#include <cmath>

#include "service/secrets.h"
#include "statics_files.h"
#include "templates_files.h"
#include "web/graph.h"
#include "web/json_output.h"

namespace timepool::web {
namespace {

using ctemplate::TemplateDictionary;
constexpr std::size_t kTableRows = 50;

std::string milliseconds(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.3f} ms", *seconds * 1000) : "–";
}

// kbit/s as the NTP Pool writes them.
std::string netspeed_text(std::uint32_t kbit) {
  if (kbit >= 1'000'000) return fmt::format("{:g} Gbit", kbit / 1e6);
  if (kbit >= 1'000) return fmt::format("{:g} Mbit", kbit / 1e3);
  return fmt::format("{} kbit", kbit);
}

std::string ago(const std::optional<UnixTime>& time, UnixTime now) {
  if (!time) return "never";
  const double seconds = std::max(0.0, (now - *time).to_seconds());
  if (seconds < 90) return fmt::format("{:.0f} s ago", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min ago", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{:.0f} h ago", seconds / 3600);
  return fmt::format("{:.0f} days ago", seconds / 86'400);
}

const char* grade(double score, double min_score) {
  if (score >= min_score) return "good";
  return score > 0 ? "fair" : "bad";
}

void set_number(TemplateDictionary& out, const char* name, std::uint64_t value) {
  out.SetValue(name, std::to_string(value));
}

void set_score(TemplateDictionary& out, double score, double min_score) {
  out.SetValue("SCORE", fmt::format("{:.1f}", score));
  out.SetValue("GRADE", grade(score, min_score));
}

std::string nts_text(const service::NtsView& nts) {
  std::string out(pool::name_of(nts.state));
  if (!nts.reason.empty()) out += ": " + nts.reason;
  if (nts.listed) out += ", in SRV";
  return out;
}

void set_server(TemplateDictionary& out, const service::ServerView& view, double min_score,
                UnixTime now) {
  const store::Server& server = view.server;
  out.SetValue("ADDRESS", format(server.address));
  if (!server.hostname.empty()) {
    out.AddSectionDictionary("HOSTNAME")->SetValue("NAME", server.hostname);
  }
  std::string zones;
  for (const std::string& zone : view.zones) zones += (zones.empty() ? "" : " ") + zone;
  out.SetValue("ZONES", zones);
  out.SetValue("NETSPEED", netspeed_text(server.netspeed));
  set_score(out, server.score, min_score);
  out.SetValue("STRATUM", server.stratum ? std::to_string(*server.stratum) : "–");
  out.SetValue("OFFSET", milliseconds(server.last_offset_s));
  out.SetValue("RTT", milliseconds(server.last_rtt_s));
  out.SetValue("CHECKED", ago(server.last_check, now));
  out.SetValue("DNS", view.in_dns ? "in DNS" : view.reason);
  const bool named = view.nts.state != pool::NtsState::kUnnamed;
  out.SetValue("NTS_STATE", named ? nts_text(view.nts) : "–");
}

// The server's name, where its NTS stands and how it came there.
void add_nts(TemplateDictionary& page, const service::ServerDetail& detail,
             const std::vector<store::Monitor>& monitors, UnixTime now) {
  const service::NtsView& nts = detail.view.nts;
  if (nts.state == pool::NtsState::kUnnamed) return;
  TemplateDictionary& out = *page.AddSectionDictionary("NTS");
  out.SetValue("FULL_NAME", nts.full_name);
  out.SetValue("PORT", std::to_string(nts.port));
  out.SetValue("STATE", nts_text(nts));
  out.SetValue("SINCE", format_utc(nts.since, 0));
  out.SetValue("NOT_AFTER", nts.not_after ? format_utc(*nts.not_after, 0) : "–");
  out.SetValue("CHECKED", ago(nts.last_check, now));
  for (const store::NtsChange& change : detail.nts_changes) {
    TemplateDictionary& row = *out.AddSectionDictionary("NTS_CHANGE");
    row.SetValue("TIME", format_utc(change.time, 0));
    row.SetValue("NAME", change.name);
    row.SetValue("STATE", change.state);
    row.SetValue("REASON", change.reason);
  }
  for (const store::NtsCheckEntry& check : detail.nts_checks) {
    TemplateDictionary& row = *out.AddSectionDictionary("NTS_CHECK");
    std::string name = std::to_string(check.monitor_id);
    for (const store::Monitor& monitor : monitors) {
      if (monitor.id == check.monitor_id) name = monitor.name;
    }
    row.SetValue("TIME", format_utc(check.time, 0));
    row.SetValue("MONITOR_NAME", name);
    row.SetValue("OUTCOME",
                 check.detail.empty() ? check.outcome : check.outcome + ": " + check.detail);
    row.SetValue("OFFSET", milliseconds(check.offset_s));
    row.SetValue("KE", check.ke_ms ? fmt::format("{:.1f} ms", *check.ke_ms) : "–");
    row.SetValue("COOKIES", check.cookies ? std::to_string(*check.cookies) : "–");
  }
}

void add_name_form(TemplateDictionary& page, const service::NtsView& nts, const NameForm& form) {
  if (!form.fault.empty()) page.AddSectionDictionary("FAULT")->SetValue("FAULT_TEXT", form.fault);
  page.SetValue("FORM_NAME", form.name);
  page.SetValue("FORM_PORT", form.port);
  page.SetValue("FORM_ACCOUNTS", form.account_uris);
  const bool named = nts.state != pool::NtsState::kUnnamed && nts.state != pool::NtsState::kRemoved;
  if (named) page.ShowSection("REMOVABLE");
}

void add_check(TemplateDictionary& page, const store::ScoreEntry& entry, const std::string& name) {
  TemplateDictionary& row = *page.AddSectionDictionary("CHECK");
  row.SetValue("TIME", format_utc(entry.time, 0));
  row.SetValue("MONITOR_NAME", name);
  row.SetValue("OFFSET", milliseconds(entry.offset_s));
  row.SetValue("RTT", milliseconds(entry.rtt_s));
  row.SetValue("LOST", fmt::format("{} of {}", entry.lost, entry.samples));
  row.SetValue("STEP", fmt::format("{:.2f}", entry.step));
  row.SetValue("SCORE", fmt::format("{:.1f}", entry.score));
  row.SetValue("RESULT", entry.reason);
}

// The newest first, the server's own score left out: it is in the graph.
void add_checks(TemplateDictionary& page, const service::Manager::History& history) {
  std::size_t rows = 0;
  for (auto entry = history.entries.rbegin(); entry != history.entries.rend(); ++entry) {
    if (!entry->monitor_id) continue;
    std::string name = std::to_string(*entry->monitor_id);
    for (const store::Monitor& monitor : history.monitors) {
      if (monitor.id == *entry->monitor_id) name = monitor.name;
    }
    add_check(page, *entry, name);
    if (++rows == kTableRows) return;
  }
}

}  // namespace

class Pages::Templates {
 public:
  Templates() {
    for (const templates::EmbeddedFile& file : templates::templates_files()) {
      CHECK(cache_.StringToTemplateCache(std::string(file.name), file.text.data(), file.text.size(),
                                         ctemplate::STRIP_BLANK_LINES));
    }
  }
  std::string expand(const std::string& name, const TemplateDictionary& values) {
    std::string out;
    CHECK(cache_.ExpandWithData(name, ctemplate::STRIP_BLANK_LINES, &values, nullptr, &out));
    return out;
  }

 private:
  ctemplate::TemplateCache cache_;
};

Pages::Pages() : templates_(std::make_unique<Templates>()) {
  for (const statics::EmbeddedFile& file : statics::statics_files()) {
    if (file.name == "style.css") style_ = file.text;
  }
  CHECK(!style_.empty());
  style_path_ = "/static/style." + service::sha256_hex(style_).substr(0, 12) + ".css";
}

Pages::~Pages() = default;

std::string Pages::servers(const Summary& summary, const std::vector<service::ServerView>& servers,
                           UnixTime now) const {
  TemplateDictionary page("servers");
  page.SetValue("STYLE", style_path_);
  page.SetValue("POOL", summary.pool);
  std::size_t in_dns = 0;
  TemplateDictionary* table = nullptr;
  if (!servers.empty()) {
    table = page.AddSectionDictionary("TABLE");
    table->SetValue("MIN_SCORE", fmt::format("{:g}", summary.min_score));
  } else {
    page.ShowSection("EMPTY");
  }
  for (const service::ServerView& view : servers) {
    in_dns += view.in_dns ? 1 : 0;
    set_server(*table->AddSectionDictionary("SERVER"), view, summary.min_score, now);
  }
  set_number(page, "SERVERS", servers.size());
  set_number(page, "IN_DNS", in_dns);
  set_number(page, "MONITORS", summary.monitors);
  set_number(page, "SERIAL", summary.serial);
  return templates_->expand("servers.html.tpl", page);
}

std::string Pages::server(const Summary& summary, const service::ServerDetail& detail,
                          const service::Manager::History& history, const NameForm& form,
                          UnixTime now) const {
  TemplateDictionary page("server");
  page.SetValue("STYLE", style_path_);
  page.SetValue("POOL", summary.pool);
  set_server(page, detail.view, summary.min_score, now);
  page.SetValue("SHARE", detail.handed_out_all == 0
                             ? std::string("–")
                             : fmt::format("{:.3f} % of {} days", detail.handed_out_share() * 100,
                                           service::kHandedOutDays));
  page.SetValue("GRAPH", history_graph(history.entries, summary.min_score));
  for (const service::MonitorView& monitor : detail.monitors) {
    TemplateDictionary& row = *page.AddSectionDictionary("MONITOR");
    row.SetValue("MONITOR_NAME", monitor.name);
    row.SetValue("STATUS", monitor.status);
    set_score(row, monitor.pair.raw, summary.min_score);
    row.SetValue("OFFSET", milliseconds(monitor.pair.last_offset_s));
    row.SetValue("RTT", milliseconds(monitor.pair.last_rtt_s));
    row.SetValue("CHECKED", ago(monitor.pair.last_check, now));
    row.SetValue("RESULT", monitor.pair.last_reason);
  }
  add_checks(page, history);
  add_nts(page, detail, history.monitors, now);
  add_name_form(page, detail.view.nts, form);
  return templates_->expand("server.html.tpl", page);
}

}  // namespace timepool::web
