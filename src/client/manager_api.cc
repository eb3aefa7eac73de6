#include "client/manager_api.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client/json_fields.h"
#include "sys/file.h"

namespace timepool::client {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTokenFile = 4096;

ErrorCode code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::kDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kExists;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
  }
}

// What the manager said of an error, with what to do where that is known.
std::string explain(int status, const json::object& body) {
  std::string message = text_of(object_of(body, "error"), "message");
  if (message.empty()) message = "status " + std::to_string(status);
  if (status == 401 || status == 403) {
    message += " (give the administrator's token with --token-file)";
  }
  return message;
}

}  // namespace

ServerInfo server_info(const json::object& server) {
  ServerInfo out;
  out.address = text_of(server, "address");
  out.hostname = text_of(server, "hostname");
  out.country = text_of(server, "country");
  out.netspeed = static_cast<std::uint64_t>(number_of(server, "netspeed").value_or(0));
  out.active = flag_of(server, "active");
  out.in_dns = flag_of(server, "in_dns");
  out.score = number_of(server, "score");
  if (const auto stratum = number_of(server, "stratum")) out.stratum = static_cast<int>(*stratum);
  out.last_offset = number_of(server, "last_offset");
  out.last_rtt = number_of(server, "last_rtt");
  out.last_check = text_of(server, "last_check");
  out.reason = text_of(server, "reason");
  const json::object& nts = object_of(server, "nts");
  out.nts_state = text_of(nts, "state");
  out.nts_reason = text_of(nts, "reason");
  out.nts_name = text_of(nts, "full_name");
  out.in_srv = flag_of(nts, "in_srv");
  return out;
}

ManagerApi::ManagerApi(std::string url, std::string token, Duration timeout)
    : url_(std::move(url)), token_(std::move(token)), timeout_(timeout) {
  while (url_.ends_with('/')) url_.pop_back();
}

Result<json::object> ManagerApi::call(const char* method, const std::string& path,
                                      const json::object* body) {
  net::HttpFetch fetch;
  fetch.url = url_ + path;
  fetch.method = method;
  fetch.total_timeout = timeout_;
  if (!token_.empty()) fetch.headers.set("Authorization", "Bearer " + token_);
  if (body != nullptr) {
    fetch.headers.set("Content-Type", "application/json");
    fetch.body = json::serialize(*body);
  }
  const net::HttpResponse response = TRY(http_.fetch(fetch));
  json::object answer;
  boost::system::error_code error;
  const std::string_view content = response.content();
  json::value parsed = content.empty() ? json::value(json::object())
                                       : json::parse({content.data(), content.size()}, error);
  if (!error && parsed.is_object()) answer = std::move(parsed.get_object());
  const std::string operation = std::string(method) + " " + fetch.url;
  if (response.status >= 400) {
    return fail(Error{code_of(response.status), operation, explain(response.status, answer)});
  }
  if (error || response.status >= 300) {
    return fail(
        Error{ErrorCode::kInvalid, operation, "the answer is not a manager's: is the URL right?"});
  }
  return answer;
}

Result<std::vector<ServerInfo>> ManagerApi::servers() {
  const json::object answer = TRY(get("/v1/servers"));
  std::vector<ServerInfo> out;
  const json::value* list = member(answer, "servers");
  if (list == nullptr || !list->is_array()) {
    return fail(Error{ErrorCode::kInvalid, url_ + "/v1/servers", "no list of servers"});
  }
  for (const json::value& server : list->get_array()) {
    if (server.is_object()) out.push_back(server_info(server.get_object()));
  }
  return out;
}

std::string server_path(const std::string& address) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789.:-_";
  std::string out = "/v1/servers/";
  for (const char c : address) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

Result<std::string> read_token(const std::string& path) {
  const std::string text = TRY(sys::read_file(path, kMaxTokenFile));
  std::string token = text.substr(0, text.find_first_of("\r\n"));
  if (token.empty()) {
    return fail(Error{ErrorCode::kInvalid, "token file " + path, "its first line is empty"});
  }
  // It goes into a header of the request.
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; })) {
    return fail(Error{ErrorCode::kInvalid, "token file " + path,
                      "its first line has blanks or other characters that no token has"});
  }
  return token;
}

}  // namespace timepool::client
