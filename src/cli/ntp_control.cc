// timepool ntp online, offline, burst, add, remove, reload: what is done with sources.
#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <memory>
#include <string_view>

#include "cli/commands.h"
#include "cli/print.h"
#include "client/json_fields.h"
#include "net/control.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

struct ControlArguments {
  std::string socket = "/run/timepool/ntpd.sock";
  std::optional<std::string> source;
  std::optional<int> good;
  std::optional<int> most;
};

int run(const ControlArguments& arguments, const char* command, const char* done) {
  json::object request{{"command", command}};
  if (arguments.source) request["source"] = *arguments.source;
  if (arguments.good) request["good"] = *arguments.good;
  if (arguments.most) request["max"] = *arguments.most;
  const auto answer = net::control_request(arguments.socket, request);
  if (!answer.ok()) return failed(answer.error());
  const double count = client::number_of(*answer, "sources").value_or(0);
  print(fmt::format("{:.0f} {} {}", count, count == 1 ? "source" : "sources", done));
  return kOk;
}

struct AddArguments {
  std::string socket = "/run/timepool/ntpd.sock";
  std::string kind;
  std::string address;
  std::string settings;
};

// "minpoll=4 iburst=true": whole numbers and truth values as such, everything else as text.
Result<json::object> settings_of(const AddArguments& arguments) {
  json::object out;
  out["address"] = arguments.address;
  std::string_view left = arguments.settings;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(' '), left.size());
    const std::string_view word = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return fail(
          Error{ErrorCode::kInvalid, "add", "\"" + std::string(word) + "\" is not SETTING=VALUE"});
    }
    const std::string_view value = word.substr(equals + 1);
    json::value& setting = out[word.substr(0, equals)];
    std::int64_t number = 0;
    const auto [rest, wrong] = std::from_chars(value.begin(), value.end(), number);
    if (value == "true" || value == "false") {
      setting = value == "true";
    } else if (wrong == std::errc() && rest == value.end()) {
      setting = number;
    } else {
      setting = json::string(value);
    }
  }
  return out;
}

int run_add(const AddArguments& arguments) {
  Result<json::object> settings = settings_of(arguments);
  if (!settings.ok()) return failed(settings.error());
  json::object request{{"command", "add"}, {"kind", arguments.kind}};
  request["settings"] = std::move(settings).value();
  const auto answer = net::control_request(arguments.socket, request);
  if (!answer.ok()) return failed(answer.error());
  print(arguments.address + " is a source until timepool-ntpd ends");
  return kOk;
}

int run_remove(const std::string& socket, const std::string& source) {
  const auto answer = net::control_request(socket, {{"command", "remove"}, {"source", source}});
  if (!answer.ok()) return failed(answer.error());
  print(source + " is no source any more");
  return kOk;
}

int run_reload(const std::string& socket) {
  const auto answer = net::control_request(socket, {{"command", "reload"}});
  if (!answer.ok()) return failed(answer.error());
  const auto count = [&](const char* key) { return client::number_of(*answer, key).value_or(0); };
  print(fmt::format("reloaded; sources: {:.0f} added, {:.0f} changed, {:.0f} removed{}",
                    count("sources_added"), count("sources_changed"), count("sources_removed"),
                    client::flag_of(*answer, "measuring_anew") ? "; measuring anew" : ""));
  for (const json::value& problem : client::list_of(*answer, "problems")) {
    if (problem.is_string()) print(std::string(problem.get_string()));
  }
  for (const json::value& setting : client::list_of(*answer, "needs_restart")) {
    if (setting.is_string()) print(std::string(setting.get_string()) + ": needs a restart");
  }
  return kOk;
}

void add_changes(Command& ntp) {
  Command add = ntp.command("add", "Measure a further source until the daemon ends");
  add.footer(
      "It is not written down: sources that are to stay belong into ntpd.toml, or into a file of\n"
      "one of [sources] directories. Examples:\n"
      "  timepool ntp add server ntp.example.net\n"
      "  timepool ntp add pool pool.example.org --set 'iburst=true minpoll=5 max_addresses=6'");
  const auto for_add = std::make_shared<AddArguments>();
  add.positional("KIND", for_add->kind, "server or pool")
      .positional("ADDRESS", for_add->address, "Its name or address")
      .option("--set", for_add->settings,
              "Settings as of [[server]] and [[pool]], SETTING=VALUE with spaces between")
      .option("--socket", for_add->socket, "The daemon's control socket");
  add.action([for_add] { return run_add(*for_add); });

  Command remove = ntp.command("remove", "Ask a source no more and forget it");
  remove.footer("A configured source comes back with the next start or reload.");
  const auto for_remove = std::make_shared<AddArguments>();
  remove.positional("SOURCE", for_remove->address, "Its name as configured")
      .option("--socket", for_remove->socket, "The daemon's control socket");
  remove.action([for_remove] { return run_remove(for_remove->socket, for_remove->address); });

  Command reload = ntp.command("reload", "Take in the configuration and the files of sources anew");
  const auto for_reload = std::make_shared<AddArguments>();
  reload.option("--socket", for_reload->socket, "The daemon's control socket");
  reload.action([for_reload] { return run_reload(for_reload->socket); });
}

std::shared_ptr<ControlArguments> add(Command& command) {
  const auto arguments = std::make_shared<ControlArguments>();
  command
      .positional("SOURCE", arguments->source,
                  "Its name as configured, its address, or a prefix; without: all")
      .option("--socket", arguments->socket, "The daemon's control socket");
  return arguments;
}

}  // namespace

void add_ntp_control(Command& ntp) {
  Command online = ntp.command("online", "Ask sources again that were offline");
  const auto for_online = add(online);
  online.action([for_online] { return run(*for_online, "online", "online"); });

  Command offline = ntp.command("offline", "Ask sources no more until they are online again");
  const auto for_offline = add(offline);
  offline.action([for_offline] { return run(*for_offline, "offline", "offline"); });

  Command burst = ntp.command("burst", "Ask sources several times in a row");
  const auto for_burst = add(burst);
  burst.option("--good", for_burst->good, 1, 64, "Enough after this many answers (4)")
      .option("--max", for_burst->most, 1, 64, "At most this many requests (8)");
  burst.action([for_burst] { return run(*for_burst, "burst", "in a burst"); });
  add_changes(ntp);
}

}  // namespace timepool::cli
