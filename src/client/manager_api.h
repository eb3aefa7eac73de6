// ManagerApi: the manager's HTTP API as calls, for the command line and `timepool up`. Blocks, with
// a time-out on every call. One thread.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"

namespace timepool::client {

// A server as the manager tells of it.
struct ServerInfo {
  std::string address;
  std::string hostname;
  std::string country;
  std::uint64_t netspeed = 0;
  bool active = false;
  bool in_dns = false;
  std::optional<double> score;
  std::optional<int> stratum;
  std::optional<double> last_offset;  // seconds
  std::optional<double> last_rtt;
  std::string last_check;
  std::string reason;  // why it is not in DNS
  // Of its name for NTS.
  std::string nts_state;  // "unnamed", "waiting", "confirmed", "failing", "removed"
  std::string nts_reason;
  std::string nts_name;  // as in DNS
  bool in_srv = false;
};

ServerInfo server_info(const boost::json::object& server);

class ManagerApi {
 public:
  // `token` is the administrator's; reads need none. No call takes longer than `timeout`.
  explicit ManagerApi(std::string url, std::string token = {},
                      Duration timeout = Duration::seconds(30));

  // The answer's JSON; an object without members for 204. Errors: no answer, or what the manager
  // said, with the code that fits its status.
  Result<boost::json::object> get(const std::string& path) { return call("GET", path, nullptr); }
  Result<boost::json::object> post(const std::string& path, const boost::json::object& body) {
    return call("POST", path, &body);
  }
  Result<boost::json::object> put(const std::string& path, const boost::json::object& body) {
    return call("PUT", path, &body);
  }
  Result<boost::json::object> patch(const std::string& path, const boost::json::object& body) {
    return call("PATCH", path, &body);
  }
  Result<boost::json::object> remove(const std::string& path) {
    return call("DELETE", path, nullptr);
  }

  // GET /v1/servers
  Result<std::vector<ServerInfo>> servers();

 private:
  Result<boost::json::object> call(const char* method, const std::string& path,
                                   const boost::json::object* body);

  std::string url_;
  std::string token_;
  Duration timeout_;
  net::HttpClient http_;
};

// "/v1/servers/" and the address, escaped for a path.
std::string server_path(const std::string& address);
// A file's first line. Errors: the system's; kInvalid when it is empty.
Result<std::string> read_token(const std::string& path);

}  // namespace timepool::client
