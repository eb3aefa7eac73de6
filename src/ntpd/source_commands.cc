#include "ntpd/source_commands.h"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/json/serialize.hpp>

#include "config/ntpd_source.h"
#include "ntpd/source_settings.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

Error no_source(const std::string& operation, const std::string& name) {
  return Error{ErrorCode::kNotFound, operation,
               name.empty() ? "there are no sources" : "no source is called " + name};
}

// The optional member "source"; empty: all.
Result<std::string> source_of(const json::object& request, const std::string& operation) {
  const json::value* value = request.if_contains("source");
  if (value == nullptr) return std::string();
  if (!value->is_string()) {
    return fail(Error{ErrorCode::kInvalid, operation, "\"source\" must be a text"});
  }
  return std::string(value->get_string());
}

Result<int> count_of(const json::object& request, const char* key, int absent) {
  const json::value* value = request.if_contains(key);
  if (value == nullptr) return absent;
  if (!value->is_int64() || value->get_int64() < 1 || value->get_int64() > ntp::kMaxBurst) {
    return fail(
        Error{ErrorCode::kInvalid, "burst",
              "\"" + std::string(key) + "\" must be 1 to " + std::to_string(ntp::kMaxBurst)});
  }
  return static_cast<int>(value->get_int64());
}

Result<json::object> answer(const std::string& operation, const std::string& name,
                            std::size_t count) {
  if (count == 0) return fail(no_source(operation, name));
  json::object out;
  out["sources"] = count;
  return out;
}

Result<json::object> set_online(TimeClient* client, const json::object& request, bool online) {
  const std::string operation = online ? "online" : "offline";
  const std::string name = TRY(source_of(request, operation));
  if (client == nullptr) return fail(no_source(operation, ""));
  return answer(operation, name, client->set_online(name, online));
}

Result<json::object> burst(TimeClient* client, const json::object& request) {
  const std::string name = TRY(source_of(request, "burst"));
  const ntp::BurstSize usual;
  const int good = TRY(count_of(request, "good", usual.good));
  const int most = TRY(count_of(request, "max", std::max(usual.most, good)));
  if (client == nullptr) return fail(no_source("burst", ""));
  const std::size_t count = client->begin_burst(name, {good, most});
  if (count == 0) {
    return fail(Error{ErrorCode::kNotFound, "burst",
                      "no such source is online and willing (see timepool ntp sources)"});
  }
  return answer("burst", name, count);
}

Result<std::string> text_member(const json::object& request, const std::string& operation,
                                const char* key) {
  const json::value* value = request.if_contains(key);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) {
    return fail(Error{ErrorCode::kInvalid, operation,
                      "\"" + std::string(key) + "\" must be there as a text"});
  }
  return std::string(value->get_string());
}

// As TOML: JSON's texts, whole numbers and truth values are written the same there.
Result<std::string> toml_of(const json::object& settings) {
  std::string out;
  for (const json::key_value_pair& pair : settings) {
    const json::value& value = pair.value();
    if (!value.is_string() && !value.is_int64() && !value.is_bool()) {
      return fail(Error{ErrorCode::kInvalid, "add",
                        std::string(pair.key()) + " must be a text, a whole number or a boolean"});
    }
    out += json::serialize(json::value(pair.key())) + " = " + json::serialize(value) + "\n";
  }
  return out;
}

// {"kind": "server" or "pool", "settings": {"address": ..., as in [[server]] and [[pool]]}}
Result<ntp::SourceConfig> source_in(const json::object& request) {
  const std::string kind = TRY(text_member(request, "add", "kind"));
  if (kind != "server" && kind != "pool") {
    return fail(Error{ErrorCode::kInvalid, "add", "\"kind\" must be \"server\" or \"pool\""});
  }
  const json::value* settings = request.if_contains("settings");
  if (settings == nullptr || !settings->is_object()) {
    return fail(Error{ErrorCode::kInvalid, "add", "\"settings\" must be there as an object"});
  }
  const std::string toml = TRY(toml_of(settings->get_object()));
  const auto parsed =
      config::parse(config::ntp_source_file_schema(), {{"add", "[[" + kind + "]]\n" + toml}});
  if (!parsed.ok()) {
    std::string text;
    for (const config::Problem& problem : parsed.error()) {
      text += (text.empty() ? "" : "; ") + problem.text;
    }
    return fail(Error{ErrorCode::kInvalid, "add", text});
  }
  return kind == "server" ? source_config(parsed->servers.front(), ntp::SourceKind::kServer)
                          : source_config(parsed->pools.front(), ntp::SourceKind::kPool);
}

Result<json::object> add(const std::function<Result<TimeClient*>()>& needed,
                         const json::object& request) {
  const ntp::SourceConfig config = TRY(source_in(request));
  TimeClient* client = TRY(needed());
  TRY(client->add_source(config));
  json::object out;
  out["source"] = config.name;
  return out;
}

Result<json::object> remove(TimeClient* client, const json::object& request) {
  const std::string name = TRY(text_member(request, "remove", "source"));
  if (client == nullptr) return fail(no_source("remove", name));
  TRY(client->remove_source(name));
  json::object out;
  out["source"] = name;
  return out;
}

}  // namespace

void add_source_commands(net::ControlServer& control, std::function<TimeClient*()> client,
                         std::function<Result<TimeClient*>()> needed) {
  control.add("add",
              "A further source until the daemon ends: \"kind\" (server, pool) and \"settings\" as "
              "in the configuration.",
              [needed](const json::object& request) { return add(needed, request); });
  control.add("remove", "Ends a source (\"source\": its name as configured).",
              [client](const json::object& request) { return remove(client(), request); });
  control.add(
      "online", "Ask a source (\"source\": name, address or prefix), or all, again.",
      [client](const json::object& request) { return set_online(client(), request, true); });
  control.add(
      "offline", "Ask a source, or all, no more until they are online again.",
      [client](const json::object& request) { return set_online(client(), request, false); });
  control.add("burst",
              "Ask a source, or all, several times in a row, until \"good\" were answered or "
              "\"max\" were sent.",
              [client](const json::object& request) { return burst(client(), request); });
}

}  // namespace timepool::ntpd
