// ManagerClient: the two calls a monitor makes of its manager, with its token. One thread uses it;
// cancel() may come from any other.
#pragma once

#include <string>
#include <vector>

#include "config/monitord.h"
#include "monitord/messages.h"
#include "net/http_client.h"

namespace timepool::monitord {

class ManagerClient {
 public:
  explicit ManagerClient(const config::MonitordConfig::Manager& settings) : settings_(settings) {}

  // Waits for work as long as the manager holds the request.
  Result<std::vector<Work>> fetch_work();
  // POSTs a batch. Any answer of the manager is a response.
  Result<net::HttpResponse> post_results(const std::string& key, std::string body);
  void cancel() { client_.cancel(); }

 private:
  Result<net::HttpFetch> request(const std::string& path);

  const config::MonitordConfig::Manager& settings_;
  net::HttpClient client_;
};

}  // namespace timepool::monitord
