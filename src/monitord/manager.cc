#include "monitord/manager.h"

#include "client/manager_api.h"

namespace timepool::monitord {
namespace {

// Beyond the manager's own wait: connecting, and a busy manager.
constexpr Duration kGrace = Duration::seconds(15);

}  // namespace

Result<net::HttpFetch> ManagerClient::request(const std::string& path) {
  net::HttpFetch fetch;
  std::string base = settings_.url;
  while (base.ends_with('/')) base.pop_back();
  fetch.url = base + path;
  fetch.ca_file = settings_.ca_file;
  // For each request, so that a replaced token needs no restart.
  auto token = client::read_token(settings_.token_file);
  if (!token.ok()) {
    token.error().operation = "[manager] token_file: " + token.error().operation;
    return fail(token.error());
  }
  fetch.headers.set("Authorization", "Bearer " + *token);
  return fetch;
}

Result<std::vector<Work>> ManagerClient::fetch_work() {
  const std::int64_t wait = settings_.wait.ns() / 1'000'000'000;
  net::HttpFetch fetch = TRY(request("/v1/work?wait=" + std::to_string(wait)));
  fetch.total_timeout = settings_.wait + kGrace;
  const net::HttpResponse response = TRY(client_.fetch(fetch));
  if (response.status != 200) {
    return fail(Error{
        ErrorCode::kUnavailable, fetch.url,
        "status " + std::to_string(response.status) + ": " + error_message(response.content())});
  }
  return parse_work(response.content());
}

Result<net::HttpResponse> ManagerClient::post_results(const std::string& key, std::string body) {
  net::HttpFetch fetch = TRY(request("/v1/results"));
  fetch.method = "POST";
  fetch.headers.set("Content-Type", "application/json");
  fetch.headers.set("Idempotency-Key", key);
  fetch.body = std::move(body);
  return client_.fetch(fetch);
}

}  // namespace timepool::monitord
