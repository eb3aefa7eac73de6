// timepool pool: servers and monitors of a pool, by its manager's API.
#include <fmt/core.h>

#include <algorithm>

#include <boost/json/array.hpp>
#include <cmath>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/control_report.h"
#include "cli/print.h"
#include "client/json_fields.h"
#include "client/manager_api.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::list_of;
using client::number_of;
using client::text_of;

struct PoolOptions {
  std::string url = "http://127.0.0.1:8080";
  std::optional<std::string> token_file;
  bool json = false;
  // What the command is about.
  std::string name;
  std::optional<int> netspeed;
  std::optional<std::string> hostname;
  std::optional<std::string> country;
  bool out_of_pool = false;
  bool into_pool = false;
  std::optional<std::string> owner;
  // Of `server name`.
  std::optional<std::string> server_name;
  std::optional<int> port;
  std::optional<std::string> account_uris;
  bool remove = false;
};

constexpr int kMaxNetspeed = 100'000'000;

std::shared_ptr<PoolOptions> add_access(Command& command) {
  const auto options = std::make_shared<PoolOptions>();
  if (const char* url = std::getenv("TIMEPOOL_URL")) options->url = url;
  if (const char* file = std::getenv("TIMEPOOL_TOKEN_FILE")) options->token_file = file;
  command.option("--url", options->url, "The manager; also TIMEPOOL_URL")
      .option("--token-file", options->token_file,
              "File with the administrator's token; also TIMEPOOL_TOKEN_FILE")
      .flag("--json", options->json, "The manager's JSON instead of text");
  return options;
}

// Calls `act` with the API and prints its answer: as JSON, or by `show`.
template <class Act, class Show>
int with_api(const PoolOptions& options, Act act, Show show) {
  std::string token;
  if (options.token_file) {
    auto read = client::read_token(*options.token_file);
    if (!read.ok()) return failed(read.error());
    token = *read;
  }
  client::ManagerApi api(options.url, token);
  const Result<json::object> answer = act(api);
  if (!answer.ok()) {
    const bool away = answer.error().code == ErrorCode::kUnavailable;
    return failed(answer.error().text() +
                  (away ? " (is timepool-poold running at " + options.url + "? see --url)" : ""));
  }
  if (options.json) {
    print_json(*answer);
  } else {
    show(*answer);
  }
  return kOk;
}

std::string text_or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string score_text(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f}", *score) : "-";
}

std::string span_text(const std::optional<double>& seconds, bool with_sign) {
  return seconds ? seconds_text(*seconds, with_sign) : "-";
}

// "-", "confirmed in SRV", "failing: no_reply".
std::string nts_text(const client::ServerInfo& server) {
  if (server.nts_state.empty() || server.nts_state == "unnamed") return "-";
  return server.nts_state + (server.nts_reason.empty() ? "" : ": " + server.nts_reason) +
         (server.in_srv ? " in SRV" : "");
}

void show_servers(const json::object& answer) {
  Table table({"Address", "Hostname", "Country", "Netspeed", "Score", "In DNS", "Stratum", "Offset",
               "RTT", "NTS", "Why not"});
  const json::array& list = list_of(answer, "servers");
  if (list.empty()) {
    print("no servers yet: timepool pool server add ADDRESS");
    return;
  }
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const client::ServerInfo server = client::server_info(value.get_object());
    table.row({server.address, text_or_dash(server.hostname), text_or_dash(server.country),
               std::to_string(server.netspeed), score_text(server.score),
               server.in_dns ? "yes" : "no", server.stratum ? std::to_string(*server.stratum) : "-",
               span_text(server.last_offset, true), span_text(server.last_rtt, false),
               nts_text(server), server.reason});
  }
  print(table.text());
}

void show_nts_changes(const json::object& answer) {
  const json::array& list = list_of(answer, "nts_changes");
  if (list.empty()) return;
  Table table({"Time", "Name", "NTS", "Reason"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& change = value.get_object();
    table.row({text_of(change, "time"), text_of(change, "name"), text_of(change, "state"),
               text_or_dash(text_of(change, "reason"))});
  }
  print("\n" + table.text());
}

void show_server(const json::object& answer) {
  const client::ServerInfo server = client::server_info(answer);
  print(fmt::format(
      "address   {}\nhostname  {}\ncountry   {}\nnetspeed  {} kbit/s\n"
      "score     {}\nin DNS    {}{}\nstratum   {}\noffset    {}\nrtt       {}\n"
      "checked   {}",
      server.address, text_or_dash(server.hostname), text_or_dash(server.country), server.netspeed,
      score_text(server.score), server.in_dns ? "yes" : "no",
      server.reason.empty() ? "" : " (" + server.reason + ")",
      server.stratum ? std::to_string(*server.stratum) : "-", span_text(server.last_offset, true),
      span_text(server.last_rtt, false), text_or_dash(server.last_check)));
  const json::object& nts = client::object_of(answer, "nts");
  if (!server.nts_name.empty()) {
    print(fmt::format("name      {}, port {:.0f}\nNTS       {}, since {}\nends      {}",
                      server.nts_name, number_of(nts, "port").value_or(0), nts_text(server),
                      text_of(nts, "since"), text_or_dash(text_of(nts, "not_after"))));
  }
  const json::object& handed_out = client::object_of(answer, "handed_out");
  if (number_of(handed_out, "count").value_or(0) > 0) {
    print(fmt::format("answers   {:.0f} in {:.0f} days, {:.3f} % of all",
                      number_of(handed_out, "count").value_or(0),
                      number_of(handed_out, "days").value_or(0),
                      number_of(handed_out, "share").value_or(0) * 100));
  }
  show_nts_changes(answer);
  const json::array& monitors = list_of(answer, "monitors");
  if (monitors.empty()) return;
  Table table({"Monitor", "Status", "Score", "Offset", "RTT", "Last"});
  for (const json::value& value : monitors) {
    if (!value.is_object()) continue;
    const json::object& monitor = value.get_object();
    table.row({text_of(monitor, "name"), text_of(monitor, "status"),
               score_text(number_of(monitor, "score")),
               span_text(number_of(monitor, "offset"), true),
               span_text(number_of(monitor, "rtt"), false), text_of(monitor, "reason")});
  }
  print("\n" + table.text());
}

void show_monitors(const json::object& answer) {
  const json::array& list = list_of(answer, "monitors");
  if (list.empty()) {
    print("no monitors yet: timepool pool monitor add NAME");
    return;
  }
  Table table({"Name", "Status", "Address", "Last seen"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& monitor = value.get_object();
    table.row({text_of(monitor, "name"), text_of(monitor, "status"),
               text_or_dash(text_of(monitor, "address")),
               text_or_dash(text_of(monitor, "last_seen"))});
  }
  print(table.text());
}

// The fields of a server that the command line gave.
json::object given_fields(const PoolOptions& options) {
  json::object body;
  if (options.netspeed) body["netspeed"] = *options.netspeed;
  if (options.hostname) body["hostname"] = *options.hostname;
  if (options.country) body["country"] = *options.country;
  if (options.owner) body["owner"] = *options.owner;
  return body;
}

void add_server_fields(Command& command, PoolOptions& options) {
  command
      .option("--netspeed", options.netspeed, 0, kMaxNetspeed,
              "Share of the pool's clients, in kbit/s; 0 only monitors")
      .option("--hostname", options.hostname, "A name for people")
      .option("--country", options.country, "Two letters; without it the GeoIP data says")
      .option("--owner", options.owner,
              "Whose it is: servers of one owner may have one name, and share a cap");
}

void add_server_add(Command& servers) {
  Command command = servers.command("add", "Register a server; it enters DNS once it scores");
  const auto options = add_access(command);
  command.positional("address", options->name, "The server's IPv4 or IPv6 address");
  add_server_fields(command, *options);
  command.action([options] {
    return with_api(
        *options,
        [&](client::ManagerApi& api) {
          json::object body = given_fields(*options);
          body["address"] = options->name;
          return api.post("/v1/servers", body);
        },
        show_server);
  });
}

void add_server_set(Command& servers) {
  Command command = servers.command("set", "Change a server");
  const auto options = add_access(command);
  command.positional("address", options->name, "The server's address");
  add_server_fields(command, *options);
  command.flag("--out", options->out_of_pool, "Take it out of DNS; it is still monitored")
      .flag("--in", options->into_pool, "Let it into DNS again");
  command.action([options] {
    json::object body = given_fields(*options);
    if (options->into_pool != options->out_of_pool) body["in_pool"] = options->into_pool;
    if (body.empty()) return failed("nothing to set: see timepool pool server set --help");
    return with_api(
        *options,
        [&](client::ManagerApi& api) {
          return api.patch(client::server_path(options->name), body);
        },
        show_server);
  });
}

json::array words_of(const std::string& text) {
  json::array out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

int name_server(const PoolOptions& options) {
  const std::string path = client::server_path(options.name) + "/name";
  if (options.remove == options.server_name.has_value()) {
    return failed("either a name, or --remove: see timepool pool server name --help");
  }
  if (options.remove) {
    return with_api(
        options, [&](client::ManagerApi& api) { return api.remove(path); },
        [&](const json::object&) { print("the name of " + options.name + " is removed"); });
  }
  json::object body{{"name", *options.server_name}};
  if (options.port) body["port"] = *options.port;
  if (options.account_uris) body["account_uris"] = words_of(*options.account_uris);
  return with_api(
      options, [&](client::ManagerApi& api) { return api.put(path, body); }, show_server);
}

void add_server_name(Command& servers) {
  Command command = servers.command("name", "Give a server its name for Network Time Security");
  const auto options = add_access(command);
  command.positional("address", options->name, "The server's address")
      .positional("name", options->server_name,
                  "What it is called below the pool, or a whole name of your own")
      .option("--port", options->port, 1, 65'535, "Of key establishment; 4460")
      .option("--account-uri", options->account_uris,
              "Accounts at authorities that alone may order certificates; several with spaces")
      .flag("--remove", options->remove, "Break the name at once");
  command.footer(
      "Examples:\n"
      "  timepool pool server name 192.0.2.10 alice --token-file admin.token\n"
      "  timepool pool server name 192.0.2.10 --remove --token-file admin.token");
  command.action([options] { return name_server(*options); });
}

void add_server_commands(Command& pool) {
  Command servers = pool.command("server", "The pool's time servers");
  add_server_add(servers);

  Command list = servers.command("list", "Every server with its score");
  const auto list_options = add_access(list);
  list.action([list_options] {
    return with_api(
        *list_options, [](client::ManagerApi& api) { return api.get("/v1/servers"); },
        show_servers);
  });

  Command show = servers.command("show", "One server, as each monitor sees it");
  const auto show_options = add_access(show);
  show.positional("address", show_options->name, "The server's address");
  show.action([show_options] {
    return with_api(
        *show_options,
        [&](client::ManagerApi& api) { return api.get(client::server_path(show_options->name)); },
        show_server);
  });

  add_server_set(servers);
  add_server_name(servers);

  Command remove = servers.command("remove", "Take a server out of the pool for good");
  const auto remove_options = add_access(remove);
  remove.positional("address", remove_options->name, "The server's address");
  remove.action([remove_options] {
    return with_api(
        *remove_options,
        [&](client::ManagerApi& api) {
          return api.remove(client::server_path(remove_options->name));
        },
        [&](const json::object&) { print(remove_options->name + " is removed"); });
  });
}

void add_monitor_commands(Command& pool) {
  Command monitors = pool.command("monitor", "The monitors that score the servers");
  Command add = monitors.command("add", "Register a monitor and print its token, once");
  const auto add_options = add_access(add);
  add.positional("name", add_options->name, "A name for it");
  add.action([add_options] {
    return with_api(
        *add_options,
        [&](client::ManagerApi& api) {
          return api.post("/v1/monitors", {{"name", add_options->name}});
        },
        [](const json::object& answer) { print(text_of(answer, "token")); });
  });
  add.footer(
      "Only the token stands on standard output, for [manager] token_file:\n"
      "  timepool pool monitor add fra1 --token-file admin.token > monitord.token");

  Command status = monitors.command("status", "What timepool-monitord on this machine does");
  const auto monitor =
      std::make_shared<ControlAccess>(ControlAccess{"/run/timepool/monitord.sock"});
  add_control_access(status, *monitor, "The monitor's");
  status.action([monitor] {
    return report_control(*monitor, {{"command", "status"}}, [](const json::object& answer) {
      print("clock " + text_of(answer, "sanity"));
      print_counts(answer, "");
    });
  });

  Command list = monitors.command("list", "Every monitor and when it was last heard of");
  const auto list_options = add_access(list);
  list.action([list_options] {
    return with_api(
        *list_options, [](client::ManagerApi& api) { return api.get("/v1/monitors"); },
        show_monitors);
  });
}

void show_zones(const json::object& answer) {
  const json::array& list = list_of(answer, "names");
  if (list.empty()) {
    print("no names yet: no server is fit for " + text_of(answer, "zone"));
    return;
  }
  Table table({"Name", "Family", "Own", "Filled", "Capacity", "Capped"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& name = value.get_object();
    for (const char* family : {"v4", "v6", "nts"}) {
      const json::value* found = name.if_contains(family);
      if (found == nullptr || !found->is_object()) continue;
      const json::object& report = found->get_object();
      const auto number = [&](const char* key) {
        return fmt::format("{:.0f}", number_of(report, key).value_or(0));
      };
      if (number("own") == "0" && number("filled") == "0") continue;
      table.row({text_of(name, "name"), family, number("own"), number("filled"), number("capacity"),
                 number("capped")});
    }
  }
  print(table.text());
}

void add_zones_command(Command& pool) {
  Command zones = pool.command("zones", "The names of the zone, and how each came by its servers");
  const auto options = add_access(zones);
  zones.action([options] {
    return with_api(
        *options, [](client::ManagerApi& api) { return api.get("/v1/zones"); }, show_zones);
  });
}

}  // namespace

void add_pool(Command& root) {
  Command pool = root.command("pool", "Servers and monitors, by the manager's API");
  pool.footer(
      "Examples:\n"
      "  timepool pool server add 192.0.2.10 --netspeed 100000 --token-file admin.token\n"
      "  timepool pool server list --url https://pool.example\n"
      "  timepool pool monitor add fra1 --token-file admin.token");
  add_server_commands(pool);
  add_monitor_commands(pool);
  add_zones_command(pool);
}

}  // namespace timepool::cli
