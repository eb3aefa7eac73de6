// Any request to the manager's API and pages, by who has every token: an answer that is no fault of
// ours, and JSON that can be read where it says that it is. The input is "METHOD TARGET\nBODY";
// what one input registers is there for the next, up to a limit.
#include <atomic>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "config/poold.h"
#include "net/http_testing.h"
#include "store/migration.h"
#include "sys/temporary_directory.h"
#include "web/api.h"
#include "web/pages.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

constexpr const char* kAdmin = "admin-token-of-the-test";
// Requests to one manager; then it begins anew, so that its database stays small.
constexpr int kRequests = 500;

class Site {
 public:
  Site() {
    config::PooldConfig config;
    config.servers.allow_private = true;
    store::SqliteOptions options;
    options.path = directory_.path() + "/pool.db";
    options.sync_every_commit = false;
    auto db = store::open_sqlite(options);
    CHECK(db.ok());
    service::ManagerParts parts;
    parts.country_of = [](const IpAddress&) { return std::string("de"); };
    parts.unix_now = [] { return UnixTime::from_seconds(1'800'000'000); };
    parts.mono_now = [] { return MonoTime::from_ns(1'000'000'000); };
    auto created =
        service::Manager::create(std::move(*db), service::settings_of(config),
                                 crypto::SigningKey::from_seed({}), std::move(parts), log_);
    CHECK(created.ok());
    manager_ = std::move(*created);
    web::add_api_routes(router_, *manager_, kAdmin,
                        std::make_shared<std::atomic<const net::HttpServer*>>(nullptr));
    web::add_page_routes(router_, *manager_, kAdmin);
    net::HttpResponse made = call("POST", "/v1/monitors", R"({"name":"m1"})", kAdmin);
    const auto monitor = boost::json::parse(made.content());
    monitor_ = std::string(monitor.at("token").as_string());
    call("POST", "/v1/servers", R"({"address":"192.0.2.1"})", kAdmin);
  }

  void ask(const std::string& method, const std::string& target, const std::string& body) {
    ++asked_;
    check(call(method, target, body, kAdmin));
    check(call(method, target, body, monitor_));
  }
  bool done() const { return asked_ >= kRequests; }

 private:
  net::HttpResponse call(const std::string& method, const std::string& target,
                         const std::string& body, const std::string& token) {
    net::HttpFields headers{{"Authorization", "Bearer " + token},
                            {"Idempotency-Key", "key-" + std::to_string(asked_)}};
    // Forms are the pages' own, the API's bodies are JSON.
    if (!body.starts_with('{')) headers.add("Content-Type", "application/x-www-form-urlencoded");
    return net::answer_of(router_, method, target, body, std::move(headers));
  }
  static void check(const net::HttpResponse& answer) {
    // 500 says that our own database or code failed.
    CHECK(answer.status >= 200 && answer.status < 500);
    if (!answer.content_type.starts_with("application/json")) return;
    boost::system::error_code error;
    static_cast<void>(boost::json::parse(answer.content(), error));
    CHECK(!error);
  }

  sys::TemporaryDirectory directory_;
  sys::Logger log_{"test", sys::LogLevel::kError};
  std::unique_ptr<service::Manager> manager_;
  net::HttpRouter router_;
  std::string monitor_;
  int asked_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<Site> site;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  const std::size_t space = input.find(' ');
  if (end == std::string_view::npos || space > end) return 0;
  if (site == nullptr || site->done()) site = std::make_unique<Site>();
  site->ask(std::string(input.substr(0, space)),
            std::string(input.substr(space + 1, end - space - 1)),
            std::string(input.substr(end + 1)));
  return 0;
}
