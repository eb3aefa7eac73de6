// timepool dns: what timepool-dnsd does, by its control socket.
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/control_report.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::object_of;
using client::text_of;

struct DnsOptions {
  ControlAccess access{"/run/timepool/dnsd.sock"};
  std::string name;
  std::string type = "A";
  std::string address;
  bool explain = false;
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

std::string percent(const json::object& object, const char* key) {
  const auto number = number_of(object, key);
  return number ? fmt::format("{:.2f} %", *number * 100) : "-";
}

// Where the answer comes from, level by level, and how it is drawn.
void show_explanation(const json::object& answer) {
  show_lookup(answer);
  if (!flag_of(answer, "in_zone")) return;
  const std::string geo = text_of(answer, "geo_country");
  line("By GeoIP", geo.empty() ? "no country" : geo + ", " + text_of(answer, "geo_continent"));
  Table levels({"Label", "There", "Has the type", "Alias of", "Used"});
  for (const json::value& value : list_of(answer, "levels")) {
    if (!value.is_object()) continue;
    const json::object& level = value.get_object();
    const auto yes = [&level](const char* key) { return flag_of(level, key) ? "yes" : "-"; };
    levels.row({text_of(level, "label"), yes("exists"), yes("has_type"), text_of(level, "alias"),
                yes("used")});
  }
  print("\nLabels for this client, the first that answers counts:\n" + levels.text());
  Table candidates({"Record", "Weight", "Chance"});
  for (const json::value& value : list_of(answer, "candidates")) {
    if (!value.is_object()) continue;
    const json::object& item = value.get_object();
    candidates.row({text_of(item, "data"), whole(item, "weight"), percent(item, "chance")});
  }
  if (!list_of(answer, "candidates").empty()) print("\n" + candidates.text());
  const json::object& drawn = object_of(answer, "answer");
  print(fmt::format("\nAn answer drawn now: {}, {}, {}", text_of(drawn, "rcode"),
                    text_of(drawn, "reason"), flag_of(drawn, "signed") ? "signed" : "not signed"));
  for (const json::value& record : list_of(drawn, "records")) {
    if (record.is_string()) print("  " + std::string(record.get_string()));
  }
}

void show_stats(const json::object& answer) {
  for (const char* transport : {"udp", "tcp", "tls"}) {
    if (!answer.contains(transport)) continue;
    print(transport);
    print_counts(object_of(answer, transport), "  ");
  }
  Table zones({"Zone", "Records", "No data", "No name", "Other", "Handed out"});
  for (const json::key_value_pair& pair : object_of(answer, "zones")) {
    if (!pair.value().is_object()) continue;
    const json::object& zone = pair.value().get_object();
    const json::object& queries = object_of(zone, "queries");
    zones.row({std::string(pair.key()), whole(queries, "records"), whole(queries, "no_data"),
               whole(queries, "nxdomain"), whole(queries, "other"), whole(zone, "handed_out")});
  }
  print("\n" + zones.text());
  Table servers({"Server", "Handed out", "Share"});
  for (const json::value& value : list_of(answer, "servers")) {
    if (!value.is_object()) continue;
    const json::object& server = value.get_object();
    servers.row(
        {text_of(server, "address"), whole(server, "handed_out"), percent(server, "share")});
  }
  if (!list_of(answer, "servers").empty()) print("\n" + servers.text());
  print("\nquery log");
  print_counts(object_of(answer, "query_log"), "  ");
}

std::shared_ptr<DnsOptions> add_access(Command& command) {
  const auto options = std::make_shared<DnsOptions>();
  add_control_access(command, options->access, "The server's");
  return options;
}

void add_report(Command& dns, const std::string& name, const std::string& help,
                void (*show)(const json::object&)) {
  Command command = dns.command(name, help);
  const auto options = add_access(command);
  command.action(
      [options, name, show] { return report_control(options->access, {{"command", name}}, show); });
}

}  // namespace

void add_dns(Command& root) {
  Command dns = root.command("dns", "What timepool-dnsd on this machine does");
  dns.footer(
      "Examples:\n"
      "  timepool dns zones\n"
      "  timepool dns lookup pool.test --from 81.2.69.1 --explain");
  add_report(dns, "status", "What it serves, since when, and what it has from its manager",
             show_status);
  add_report(dns, "zones", "Every zone, where it came from, and what is wrong", show_zones);
  add_report(dns, "stats", "Queries by what became of them, zone and country; servers handed out",
             show_stats);

  add_dns_keys(dns);
  Command lookup = dns.command("lookup", "From which records a client would be answered");
  const auto options = add_access(lookup);
  lookup.positional("name", options->name, "The name that the client asks for")
      .option("--from,--address", options->address, "The client's address")
      .option("--type", options->type, "A, AAAA, ...")
      .flag("--explain", options->explain, "The labels, the records and their chances, an answer")
      .require("--from");
  lookup.action([options] {
    return report_control(options->access,
                          {{"command", "lookup"},
                           {"name", options->name},
                           {"type", options->type},
                           {"address", options->address}},
                          options->explain ? show_explanation : show_lookup);
  });
}

}  // namespace timepool::cli
