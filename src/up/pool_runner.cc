#include "up/pool_runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <map>

#include "client/json_fields.h"
#include "net/control.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "up/authority.h"
#include "up/config_files.h"
#include "up/dns_client.h"

namespace timepool::up {
namespace {

namespace json = boost::json;
using client::list_of;
using client::text_of;
using wire::dns::RrType;

constexpr Duration kStartLimit = Duration::seconds(20);
constexpr Duration kCertificateWait = Duration::seconds(10);
constexpr Duration kTick = Duration::milliseconds(100);
constexpr Duration kLookInterval = Duration::seconds(1);
constexpr Duration kAskTimeout = Duration::seconds(1);
// Questions for the summary: enough that each server of a default run is all but sure to be seen.
constexpr int kSummaryQueries = 60;

void pause(Duration span) {
  const timespec time = sys::to_timespec(span);
  ::nanosleep(&time, nullptr);  // a signal may cut it short: the loop looks
}

// "127.10.0.1" of "127.10.0.1:11123".
std::string address_of(const std::string& endpoint) {
  const auto parsed = parse_endpoint(endpoint);
  return parsed.ok() ? format(parsed->address) : endpoint;
}

json::array strings(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& item : list) out.push_back(json::value(item));
  return out;
}

// What a daemon tells of its sources; none when it does not answer.
std::vector<json::object> sources_of(const std::string& socket) {
  std::vector<json::object> out;
  const auto answer = net::control_request(socket, {{"command", "sources"}}, kAskTimeout);
  if (!answer.ok()) return out;
  for (const json::value& value : list_of(*answer, "sources")) {
    if (value.is_object()) out.push_back(value.get_object());
  }
  return out;
}

bool selected(const json::object& source) {
  const std::string status = text_of(source, "status");
  return status == "selected" || status == "combined";
}

json::value score_value(const std::optional<double>& score) {
  return score ? json::value(*score) : json::value(nullptr);
}

}  // namespace

PoolRunner::PoolRunner(const Plan& plan, Display& display, std::function<bool()> stopping)
    : plan_(plan),
      display_(display),
      stopping_(std::move(stopping)),
      supervisor_(plan.path("log"), display),
      reader_(plan.http_url(), {}, kAskTimeout),
      started_(sys::mono_now()) {}

Result<void> PoolRunner::start() {
  // A member's certificate comes last: its name has to be in DNS, where the authority looks.
  TRY(start_manager());
  TRY(start_dns());
  TRY(register_servers());
  if (plan_.nts) {
    TRY(write_anchor());
    TRY(start_authority());
    TRY(name_members());
  }
  TRY(start_servers());
  if (plan_.nts) TRY(await_certificates());
  TRY(start_monitors());
  display_.event("ready", {{"http", plan_.http_url()},
                           {"dns", format(plan_.dns)},
                           {"zone", plan_.zone},
                           {"ntp_port", plan_.ntp_port},
                           {"directory", plan_.directory},
                           {"nts", plan_.nts.has_value()},
                           {"dig", fmt::format("dig @{} -p {} {}", format(plan_.dns.address),
                                               plan_.dns.port, plan_.zone)}});
  return {};
}

Result<void> PoolRunner::launch(const std::string& program, const std::string& name,
                                const std::string& toml, json::object details) {
  const std::string path = plan_.path(name + ".toml");
  TRY(sys::write_file_atomic(path, toml, 0600));
  return supervisor_.start(
      {name, {plan_.programs + "/" + program, "--config", path}, std::move(details)});
}

Result<void> PoolRunner::wait_for(const std::string& name, const std::function<bool()>& ready) {
  const MonoTime end = sys::mono_now() + kStartLimit;
  while (!stopping_() && !ready()) {
    TRY(supervisor_.tick(sys::mono_now()));
    if (sys::mono_now() > end) {
      return fail(Error{ErrorCode::kUnavailable, name,
                        "not ready within " + format(kStartLimit) + "; its last lines:\n" +
                            supervisor_.last_lines(name)});
    }
    pause(kTick);
  }
  return {};
}

bool PoolRunner::answers_control(const std::string& name) const {
  return net::control_request(plan_.socket_of(name), {{"command", "status"}}, kAskTimeout).ok();
}

Result<void> PoolRunner::start_manager() {
  TRY(launch("timepool-poold", "poold", poold_toml(plan_), {{"url", plan_.http_url()}}));
  TRY(wait_for("poold", [this] { return reader_.servers().ok(); }));
  if (stopping_()) return {};
  admin_token_ = TRY(client::read_token(plan_.path("admin.token")));
  return {};
}

Result<void> PoolRunner::start_servers() {
  std::vector<std::string> names;
  for (const PlannedServer& server : plan_.servers) {
    if (stopping_() || server.name.empty()) continue;
    TRY(launch("timepool-ntpd", server.name, ntpd_toml(plan_, server),
               {{"role", name_of(server.role)}, {"address", format(server.address)}}));
    names.push_back(server.name);
  }
  for (const std::string& name : names) {
    TRY(wait_for(name, [&] { return answers_control(name); }));
  }
  return {};
}

Result<void> PoolRunner::register_servers() {
  if (stopping_()) return {};
  client::ManagerApi api(plan_.http_url(), admin_token_);
  std::map<std::string, client::ServerInfo> known;
  for (client::ServerInfo& server : TRY(api.servers())) known[server.address] = std::move(server);
  for (const PlannedServer& server : plan_.servers) {
    const std::string address = format(server.address);
    if (known.contains(address)) continue;
    TRY(api.post(
        "/v1/servers",
        {{"address", address}, {"netspeed", server.netspeed}, {"country", server.country}}));
  }
  if (!known.empty()) {
    display_.event(
        "note",
        {{"text", fmt::format("{} servers and their scores were here before", known.size())}});
  }
  return {};
}

Result<void> PoolRunner::start_monitors() {
  client::ManagerApi api(plan_.http_url(), admin_token_);
  for (int number = 1; number <= kMonitors && !stopping_(); ++number) {
    const std::string name = monitor_name(number);
    const std::string token_file = plan_.path(name + ".token");
    std::error_code ignored;
    if (!std::filesystem::exists(token_file, ignored)) {
      const json::object made = TRY(api.post("/v1/monitors", {{"name", name}}));
      TRY(sys::write_file_atomic(token_file, text_of(made, "token") + "\n", 0600));
    }
    TRY(launch("timepool-monitord", name, monitord_toml(plan_, number), {{"role", "monitor"}}));
  }
  for (int number = 1; number <= kMonitors; ++number) {
    const std::string name = monitor_name(number);
    TRY(wait_for(name, [&] { return answers_control(name); }));
  }
  return {};
}

Result<void> PoolRunner::start_dns() {
  if (stopping_()) return {};
  const json::object key = TRY(reader_.get("/v1/snapshot-key"));
  TRY(launch("timepool-dnsd", "dnsd", dnsd_toml(plan_, text_of(key, "public_key")),
             {{"address", format(plan_.dns)}}));
  return wait_for(
      "dnsd", [this] { return ask_dns(plan_.dns, plan_.zone, RrType::kSoa, kAskTimeout).ok(); });
}

Result<void> PoolRunner::write_anchor() {
  std::string anchor;
  const json::object question{{"command", "keys-ds"}, {"zone", plan_.zone}, {"early", true}};
  TRY(wait_for("dnsd", [&] {
    const auto answer = net::control_request(plan_.socket_of("dnsd"), question, kAskTimeout);
    if (!answer.ok()) return false;
    for (const json::value& line : list_of(*answer, "ds")) {
      if (line.is_string()) anchor += std::string(line.get_string()) + "\n";
    }
    return !anchor.empty();
  }));
  return sys::write_file_atomic(plan_.anchor_file(), anchor, 0600);
}

Result<void> PoolRunner::start_authority() {
  if (stopping_()) return {};
  TRY(write_authority_files(plan_));
  TRY(supervisor_.start({"authority",
                         authority_command(plan_),
                         {{"role", "authority"}, {"url", plan_.nts->directory_url()}},
                         authority_environment()}));
  return wait_for("authority", [this] { return keep_root(plan_, kAskTimeout).ok(); });
}

Result<void> PoolRunner::name_members() {
  client::ManagerApi api(plan_.http_url(), admin_token_);
  for (const PlannedServer& server : plan_.servers) {
    if (stopping_() || server.nts_name.empty()) continue;
    TRY(api.put(client::server_path(format(server.address)) + "/name",
                {{"name", server.nts_name}, {"port", plan_.nts->key_port}}));
  }
  for (const PlannedServer& server : plan_.servers) {
    if (server.nts_name.empty()) continue;
    TRY(wait_for("dnsd", [&] {
      const auto found = ask_dns(plan_.dns, plan_.nts_name_of(server), RrType::kA, kAskTimeout);
      return found.ok() && !found->empty();
    }));
  }
  return {};
}

Result<void> PoolRunner::await_certificates() {
  const MonoTime end = sys::mono_now() + kCertificateWait;
  for (const PlannedServer& server : plan_.servers) {
    if (server.nts_name.empty()) continue;
    TRY(wait_for(server.name, [&] {
      if (sys::mono_now() > end) return true;
      const auto answer =
          net::control_request(plan_.socket_of(server.name), {{"command", "acme"}}, kAskTimeout);
      return answer.ok() && !client::object_of(*answer, "certificate").empty();
    }));
  }
  return {};
}

Result<void> PoolRunner::start_nts_client_when_possible() {
  if (!plan_.nts || nts_client_started_) return {};
  const auto found =
      count_records(plan_.dns, "_ntske._tcp." + plan_.zone, RrType::kSrv, kAskTimeout);
  if (!found.ok() || *found < kNtsMembers) return {};
  nts_client_started_ = true;
  return launch("timepool-ntpd", "ntpd-nts-client", nts_client_toml(plan_),
                {{"role", "nts-client"}});
}

Result<void> PoolRunner::start_client_when_possible() {
  // As many as the client wants at least (RFC 8633 3.2).
  constexpr std::ptrdiff_t kEnough = 4;
  if (client_started_) return {};
  if (std::ranges::count(state_.servers, true, &ServerState::in_dns) < kEnough) return {};
  const auto found = ask_dns(plan_.dns, plan_.zone, RrType::kA, kAskTimeout);
  if (!found.ok() || found->empty()) return {};
  client_started_ = true;
  return launch("timepool-ntpd", "ntpd-client", client_toml(plan_), {{"role", "client"}});
}

Result<void> PoolRunner::run() {
  MonoTime next_look = sys::mono_now();
  while (!stopping_()) {
    const MonoTime now = sys::mono_now();
    TRY(supervisor_.tick(now));
    if (now >= next_look) {
      next_look = now + kLookInterval;
      look();
      TRY(start_client_when_possible());
      TRY(start_nts_client_when_possible());
      display_.state(state_, sys::mono_now() - started_);
    }
    pause(kTick);
  }
  return {};
}

void PoolRunner::look() {
  const auto servers = reader_.servers();
  state_.manager_answers = servers.ok();
  if (servers.ok()) {
    state_.servers.clear();
    for (const client::ServerInfo& server : *servers) {
      state_.servers.push_back({server.address, role_of(plan_, server.address), server.country,
                                server.netspeed, server.score, server.last_offset, server.in_dns,
                                server.reason, server.nts_name, server.nts_state, server.nts_reason,
                                server.in_srv});
    }
    std::ranges::stable_sort(state_.servers, {}, &ServerState::role);
  }
  look_at_clients();
}

void PoolRunner::look_at_clients() {
  state_.client_runs = client_started_ && supervisor_.runs("ntpd-client");
  state_.client_selected.clear();
  state_.client_sources = 0;
  if (state_.client_runs) {
    for (const json::object& source : sources_of(plan_.socket_of("ntpd-client"))) {
      if (text_of(source, "address").empty()) continue;
      ++state_.client_sources;
      if (!selected(source)) continue;
      state_.client_selected.push_back(address_of(text_of(source, "address")));
    }
  }
  std::ranges::sort(state_.client_selected);
  state_.nts_client_runs = nts_client_started_ && supervisor_.runs("ntpd-nts-client");
  state_.nts_client_selected.clear();
  if (state_.nts_client_runs) {
    for (const json::object& source : sources_of(plan_.socket_of("ntpd-nts-client"))) {
      if (selected(source)) state_.nts_client_selected.push_back(text_of(source, "source"));
    }
  }
  std::ranges::sort(state_.nts_client_selected);
}

json::object PoolRunner::summary() {
  look();
  json::array servers;
  for (const ServerState& server : state_.servers) {
    servers.push_back(json::object{{"address", server.address},
                                   {"role", name_of(server.role)},
                                   {"netspeed", server.netspeed},
                                   {"score", score_value(server.score)},
                                   {"in_dns", server.in_dns},
                                   {"nts_name", server.nts_name},
                                   {"in_srv", server.in_srv}});
  }
  json::object answers;
  int asked = 0;
  for (int i = 0; i < kSummaryQueries; ++i) {
    const RrType type = i % 4 == 3 ? RrType::kAaaa : RrType::kA;
    const auto found = ask_dns(plan_.dns, plan_.zone, type, kAskTimeout);
    if (!found.ok()) {
      // One more try would take its time-out too.
      if (asked == 0) break;
      continue;
    }
    ++asked;
    for (const IpAddress& address : *found) {
      json::value& count = answers[format(address)];
      count = (count.is_int64() ? count.get_int64() : 0) + 1;
    }
  }
  return {{"servers", std::move(servers)},
          {"dns", {{"queries", asked}, {"answers", std::move(answers)}}},
          {"client",
           {{"selected", strings(state_.client_selected)}, {"sources", state_.client_sources}}},
          {"nts_client", {{"selected", strings(state_.nts_client_selected)}}}};
}

}  // namespace timepool::up
