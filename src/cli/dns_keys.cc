// timepool dns keys: the keys of signed zones, by the control socket of timepool-dnsd; export and
// import by its directory of keys, since secrets do not go through the socket.
#include <fmt/core.h>

#include <charconv>

#include "cli/commands.h"
#include "cli/control_report.h"
#include "cli/print.h"
#include "client/json_fields.h"
#include "crypto/dns_key_bundle.h"
#include "sys/file.h"
#include "sys/random.h"
#include "wire/dns/name.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::object_of;
using client::text_of;

struct KeysOptions {
  ControlAccess access{"/run/timepool/dnsd.sock"};
  std::optional<std::string> some_zone;
  std::string zone;
  std::string tag;
  std::string tags;
  std::string role;
  bool emergency = false;
  bool early = false;
  std::string directory;
  std::string secret;
  std::string file;
};
using Options = std::shared_ptr<KeysOptions>;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

// Since when, and when it ended.
std::string span_text(const json::object& key, const char* name) {
  const json::object& span = object_of(key, name);
  const std::string from = text_of(span, "from");
  const std::string until = text_of(span, "until");
  if (until.empty()) return or_dash(from);
  return "until " + until;
}

void show_zone_keys(const json::object& zone, Table& table) {
  for (const json::value& value : list_of(zone, "keys")) {
    if (!value.is_object()) continue;
    const json::object& key = value.get_object();
    const std::string ds = span_text(key, "ds_seen") != "-" ? "seen " + span_text(key, "ds_seen")
                           : span_text(key, "ds_offered") != "-" ? "offered"
                                                                 : "-";
    table.row({text_of(zone, "zone"), fmt::format("{:.0f}", number_of(key, "tag").value_or(0)),
               text_of(key, "role"), text_of(key, "algorithm"), text_of(key, "state"),
               span_text(key, "published"), span_text(key, "signing"), ds});
  }
}

void show_zones(const json::array& zones) {
  Table table({"Zone", "Tag", "Role", "Algorithm", "State", "Published", "Signs", "DS"});
  bool any = false;
  for (const json::value& zone : zones) {
    if (!zone.is_object()) continue;
    any = any || !list_of(zone.get_object(), "keys").empty();
    show_zone_keys(zone.get_object(), table);
  }
  print(any ? table.text() : "no zone has keys");
  for (const json::value& value : zones) {
    if (!value.is_object()) continue;
    const json::object& zone = value.get_object();
    const std::string name = text_of(zone, "zone");
    if (const std::string wrong = text_of(zone, "problem"); !wrong.empty()) {
      print("wrong: " + name + ": " + wrong);
    }
    if (flag_of(zone, "waits_for_parent")) {
      print(name + ": waits for the parent's DS (timepool dns keys ds " + name + ")");
    }
    if (const std::string next = text_of(zone, "next_event"); !next.empty()) {
      print(name + ": next step " + next);
    }
  }
}

void show_list(const json::object& answer) {
  show_zones(list_of(answer, "zones"));
  if (const std::string wrong = text_of(answer, "resolver_problem"); !wrong.empty()) {
    print("wrong: " + wrong);
  }
}

void show_one(const json::object& answer) {
  show_zones({answer});
}

void show_ds(const json::object& answer) {
  const json::array& records = list_of(answer, "ds");
  for (const json::value& record : records) {
    if (record.is_string()) print(std::string(record.get_string()));
  }
  if (records.empty()) {
    print(
        "no DS belongs at the parent yet: not every cache knows the zone's signatures (--early "
        "shows those to come)");
  }
}

int run(const KeysOptions& options, const json::object& request,
        void (*show)(const json::object&)) {
  return report_control(options.access, request, show, Duration::seconds(30));
}

std::optional<int> tag_of(std::string_view text) {
  int out = -1;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (wrong != std::errc() || end != text.data() + text.size() || out < 0 || out > 0xffff) {
    return std::nullopt;
  }
  return out;
}

int retire(const KeysOptions& options) {
  const auto tag = tag_of(options.tag);
  if (!tag) return failed("\"" + options.tag + "\" is no tag of a key");
  return run(options, {{"command", "keys-retire"}, {"zone", options.zone}, {"tag", *tag}},
             show_one);
}

int ds_seen(const KeysOptions& options) {
  json::array tags;
  std::string_view rest = options.tags == "none" ? "" : options.tags;
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
    const auto tag = tag_of(text);
    if (!tag) return failed("\"" + std::string(text) + "\" is no tag of a key");
    tags.push_back(*tag);
  }
  return run(options, {{"command", "keys-ds-seen"}, {"zone", options.zone}, {"tags", tags}},
             show_one);
}

int roll(const KeysOptions& options) {
  if (options.role.empty() == !options.emergency) {
    return failed("which keys? --role csk, ksk or zsk, or --emergency for all of the zone");
  }
  json::object request{{"command", "keys-roll"}, {"zone", options.zone}};
  if (!options.emergency) request["role"] = options.role;
  return run(options, request, show_one);
}

Result<std::string> zone_text(const std::string& zone) {
  const auto name = wire::dns::DnsName::from_text(zone);
  if (!name.ok()) return fail(Error{ErrorCode::kInvalid, "zone", "\"" + zone + "\" is no name"});
  return format(wire::dns::lowered(*name));
}

Result<void> export_keys(const KeysOptions& options) {
  const crypto::DnsKeyDirectory directory(options.directory);
  const crypto::BundleSecret secret = TRY(crypto::load_bundle_secret(options.secret));
  const std::string zone = TRY(zone_text(options.zone));
  const crypto::DnsKeyBundle bundle = TRY(crypto::collect_bundle(directory, zone));
  std::array<std::byte, 16> nonce{};
  sys::fill_random(nonce);
  return sys::write_file_atomic(options.file, TRY(crypto::seal_bundle(bundle, secret, nonce)),
                                0600);
}

Result<std::string> import_keys(const KeysOptions& options) {
  const crypto::DnsKeyDirectory directory(options.directory);
  const crypto::BundleSecret secret = TRY(crypto::load_bundle_secret(options.secret));
  const std::string text = TRY(sys::read_file(options.file, crypto::kMaxBundleText));
  const crypto::DnsKeyBundle bundle = TRY(crypto::open_bundle(text, secret));
  TRY(directory.prepare());
  TRY(crypto::install_bundle(directory, bundle));
  return bundle.state.zone;
}

void add_access(Command& command, const Options& options) {
  add_control_access(command, options->access, "The server's");
}

void add_reports(Command& keys) {
  const auto options = std::make_shared<KeysOptions>();
  Command list = keys.command("list", "Keys with their states, and what waits");
  add_access(list, options);
  list.positional("ZONE", options->some_zone, "One zone only");
  list.action([options] {
    json::object request{{"command", "keys"}};
    if (options->some_zone) request["zone"] = *options->some_zone;
    return run(*options, request, show_list);
  });
  Command ds = keys.command("ds", "DS records for the parent");
  add_access(ds, options);
  ds.positional("ZONE", options->zone, "The zone")
      .flag("--early", options->early, "Also those that caches could not follow yet");
  ds.action([options] {
    return run(*options,
               {{"command", "keys-ds"}, {"zone", options->zone}, {"early", options->early}},
               show_ds);
  });
}

void add_changes(Command& keys) {
  const auto options = std::make_shared<KeysOptions>();
  Command make = keys.command("generate", "Make a zone's first keys now, also before it is served");
  add_access(make, options);
  make.positional("ZONE", options->zone, "The zone, which [[dnssec.zone]] names");
  make.action([options] {
    return run(*options, {{"command", "keys-generate"}, {"zone", options->zone}}, show_one);
  });
  Command rolled = keys.command("roll", "Replace keys, as fast as every cache can follow");
  add_access(rolled, options);
  rolled.positional("ZONE", options->zone, "The zone")
      .option("--role", options->role, "csk, ksk or zsk")
      .flag("--emergency", options->emergency, "All keys of the zone at once");
  rolled.action([options] { return roll(*options); });
  Command retired = keys.command("retire", "Replace one key, or drop one that is not used yet");
  add_access(retired, options);
  retired.positional("ZONE", options->zone, "The zone")
      .positional("TAG", options->tag, "The key's tag");
  retired.action([options] { return retire(*options); });
  Command seen = keys.command("ds-seen", "Tell which DS records the parent has now");
  add_access(seen, options);
  seen.positional("ZONE", options->zone, "The zone")
      .positional("TAGS", options->tags, "All their tags, with commas between; or: none");
  seen.action([options] { return ds_seen(*options); });
}

void add_copies(Command& keys) {
  const auto options = std::make_shared<KeysOptions>();
  const auto add_files = [&](Command& command) {
    command.option("--directory", options->directory, "The directory of keys ([dnssec] directory)")
        .option("--secret", options->secret,
                "A file of 64 hexadecimal digits that both servers have, mode 0600")
        .require("--directory")
        .require("--secret");
  };
  Command out = keys.command("export", "Write a zone's keys into a sealed file");
  out.positional("ZONE", options->zone, "The zone").positional("FILE", options->file, "The file");
  add_files(out);
  out.action([options] {
    const auto done = export_keys(*options);
    return done.ok() ? kOk : failed(done.error());
  });
  Command in = keys.command("import", "Put a zone's keys from a sealed file into the directory");
  in.positional("FILE", options->file, "The file");
  add_files(in);
  in.action([options] {
    const auto zone = import_keys(*options);
    if (!zone.ok()) return failed(zone.error());
    print("keys of " + *zone + " are there");
    return kOk;
  });
}

}  // namespace

void add_dns_keys(Command& dns) {
  Command keys = dns.command("keys", "The keys of signed zones");
  keys.footer(
      "Examples:\n"
      "  timepool dns keys list\n"
      "  timepool dns keys ds pool.example\n"
      "  timepool dns keys roll pool.example --role csk\n"
      "  timepool dns keys ds-seen pool.example 12345");
  add_reports(keys);
  add_changes(keys);
  add_copies(keys);
}

}  // namespace timepool::cli
