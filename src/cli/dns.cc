// timepool dns: what timepool-dnsd does, by its control socket.
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "client/json_fields.h"
#include "net/control.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::object_of;
using client::text_of;

struct DnsOptions {
  std::string socket = "/run/timepool/dnsd.sock";
  bool json = false;
  std::string name;
  std::string type = "A";
  std::string address;
};

void line(const char* name, const std::string& value) {
  print(fmt::format("{:<16}: {}", name, value.empty() ? "-" : value));
}

std::string whole(const json::object& object, const char* key) {
  const auto number = number_of(object, key);
  return number ? fmt::format("{:.0f}", *number) : "-";
}

std::string joined(const json::array& list) {
  std::string out;
  for (const json::value& item : list) {
    if (item.is_string()) out += (out.empty() ? "" : ", ") + std::string(item.get_string());
  }
  return out;
}

void show_status(const json::object& answer) {
  line("Version", text_of(answer, "version"));
  line("Up for", whole(answer, "uptime_s") + " s");
  line("Listens on", joined(list_of(answer, "listen")));
  line("Zones", whole(answer, "zones"));
  line("Problems", whole(answer, "problems") + " (see timepool dns zones)");
  line("Snapshot", whole(answer, "snapshot_serial"));
  const json::object& snapshot = object_of(answer, "snapshot");
  if (snapshot.empty()) return;
  line("Manager", text_of(snapshot, "url"));
  line("Last contact", text_of(snapshot, "last_contact"));
  line("Last news", text_of(snapshot, "last_snapshot"));
  line("Last error", text_of(snapshot, "last_error"));
}

void show_zones(const json::object& answer) {
  Table table({"Zone", "Serial", "Names", "Client classes", "Networks", "Source"});
  for (const json::value& value : list_of(answer, "zones")) {
    if (!value.is_object()) continue;
    const json::object& zone = value.get_object();
    table.row({text_of(zone, "zone"), whole(zone, "serial"), whole(zone, "names"),
               whole(zone, "client_classes"), whole(zone, "client_networks"),
               text_of(zone, "source")});
  }
  print(list_of(answer, "zones").empty() ? "no zones are served" : table.text());
  for (const json::value& problem : list_of(answer, "problems")) {
    if (problem.is_string()) print("wrong: " + std::string(problem.get_string()));
  }
}

void show_lookup(const json::object& answer) {
  if (!flag_of(answer, "in_zone")) {
    print(text_of(answer, "name") + " is in no zone that is served here");
    return;
  }
  line("Zone", text_of(answer, "zone"));
  line("Client",
       fmt::format("{}, country {}, {}, AS{}", text_of(answer, "address"),
                   text_of(answer, "country").empty() ? "unknown" : text_of(answer, "country"),
                   text_of(answer, "continent"), whole(answer, "asn")));
  line("Answered from", text_of(answer, "label"));
  line("Records", fmt::format("{} taken of {}", whole(answer, "taken"), whole(answer, "records")));
  line("Same answer for", "/" + whole(answer, "scope") + " around the client");
}

void show_stats(const json::object& answer) {
  print_counts(answer, "");
}

int run(const DnsOptions& options, const json::object& request, void (*show)(const json::object&)) {
  const auto answer = net::control_request(options.socket, request);
  if (!answer.ok()) return failed(answer.error());
  if (options.json) {
    print_json(*answer);
  } else {
    show(*answer);
  }
  return kOk;
}

std::shared_ptr<DnsOptions> add_access(Command& command) {
  const auto options = std::make_shared<DnsOptions>();
  command.option("--socket", options->socket, "The server's control socket")
      .flag("--json", options->json, "The server's JSON instead of text");
  return options;
}

void add_report(Command& dns, const std::string& name, const std::string& help,
                void (*show)(const json::object&)) {
  Command command = dns.command(name, help);
  const auto options = add_access(command);
  command.action([options, name, show] { return run(*options, {{"command", name}}, show); });
}

}  // namespace

void add_dns(Command& root) {
  Command dns = root.command("dns", "What timepool-dnsd on this machine does");
  dns.footer(
      "Examples:\n"
      "  timepool dns zones\n"
      "  timepool dns lookup pool.test --address 81.2.69.1 --type AAAA");
  add_report(dns, "status", "What it serves, since when, and what it has from its manager",
             show_status);
  add_report(dns, "zones", "Every zone, where it came from, and what is wrong", show_zones);
  add_report(dns, "stats", "Queries by what became of them", show_stats);

  add_dns_keys(dns);
  Command lookup = dns.command("lookup", "From which records a client would be answered");
  const auto options = add_access(lookup);
  lookup.positional("name", options->name, "The name that the client asks for")
      .option("--address", options->address, "The client's address")
      .option("--type", options->type, "A, AAAA, ...")
      .require("--address");
  lookup.action([options] {
    return run(*options,
               {{"command", "lookup"},
                {"name", options->name},
                {"type", options->type},
                {"address", options->address}},
               show_lookup);
  });
}

}  // namespace timepool::cli
