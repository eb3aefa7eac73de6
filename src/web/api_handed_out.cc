// /v1/handed-out: name servers tell how often they handed out each server, and everybody may see
// each server's share.
#include "service/secrets.h"
#include "web/api.h"
#include "web/handed_out_input.h"
#include "web/json_output.h"

namespace timepool::web {
namespace {

constexpr std::int64_t kMaxDays = 366;
constexpr std::int64_t kDays = 7;

net::HttpResponse denied(int status, const char* code, const char* text) {
  auto out = net::http_error(status, code, text);
  if (status == 401) out.headers.set("WWW-Authenticate", "Bearer");
  return out;
}

Result<std::string> take(service::HandedOut& handed_out, const net::HttpRequest& request) {
  service::HandedOutBatch batch;
  batch.key = request.headers.value("Idempotency-Key");
  batch.counts = TRY(parse_handed_out(request.body));
  batch.body = request.body;
  return handed_out.take(batch);
}

Result<std::string> shares(const service::HandedOut& handed_out, const net::HttpRequest& request) {
  const std::int64_t days = TRY(query_integer(request, "days", 1, kMaxDays, kDays));
  return handed_out_json(TRY(handed_out.shares(static_cast<int>(days))));
}

}  // namespace

void add_handed_out_routes(net::HttpRouter& router, service::Manager& manager, std::string token) {
  service::HandedOut& handed_out = manager.handed_out();
  router.on("GET", "/v1/handed-out", [&handed_out](const net::HttpRequest& request) {
    const auto answer = shares(handed_out, request);
    return answer.ok() ? net::http_json(200, *answer) : net::http_error(answer.error());
  });
  router.on("POST", "/v1/handed-out",
            [&handed_out, token = std::move(token)](const net::HttpRequest& request) {
              if (token.empty()) {
                return denied(403, "denied", "[dns] token_file is not set: no counts are taken");
              }
              const std::string_view shown = request.bearer_token();
              if (shown.empty()) return denied(401, "unauthorized", "this call needs a token");
              if (!service::equal_secrets(shown, token)) {
                return denied(403, "denied", "this is not the token of the name servers");
              }
              const auto answer = take(handed_out, request);
              return answer.ok() ? net::http_json(200, *answer) : net::http_error(answer.error());
            });
}

}  // namespace timepool::web
