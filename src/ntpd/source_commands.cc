#include "ntpd/source_commands.h"

#include <algorithm>
#include <string>
#include <utility>

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

}  // namespace

void add_source_commands(net::ControlServer& control, std::function<TimeClient*()> client) {
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
