#include "net/http_target.h"
#include "web/pages.h"

namespace timepool::web {
namespace {

constexpr std::int64_t kGraphEntries = 900;
constexpr std::int64_t kNtsEntries = 20;

net::HttpResponse html(std::string page) {
  auto out = net::http_text(200, "text/html; charset=utf-8", std::move(page));
  out.headers.set("Cache-Control", "no-cache");
  return out;
}

net::HttpResponse error_page(const Error& error) {
  const auto response = net::http_error(error);
  return net::http_text(response.status, "text/plain; charset=utf-8", response.body + "\n");
}

Pages::Summary summary_of(service::Manager& manager, std::size_t monitors) {
  Pages::Summary out;
  out.pool = manager.settings().zone.name;
  out.monitors = monitors;
  const auto published = manager.publisher().current();
  out.serial = published ? published->serial : 0;
  out.min_score = manager.settings().zone.min_score;
  return out;
}

Result<std::string> server_list(const Pages& pages, service::Manager& manager) {
  const auto servers = TRY(manager.registry().servers());
  const auto monitors = TRY(manager.registry().monitors());
  return pages.servers(summary_of(manager, monitors.size()), servers, manager.unix_now());
}

// `form`: what was sent and refused; null: the form as the server is.
Result<std::string> one_server(const Pages& pages, service::Manager& manager,
                               std::string_view address, const NameForm* form) {
  store::HistoryQuery query;
  query.of = store::HistoryQuery::Of::kAll;
  query.limit = kGraphEntries;
  const auto history = TRY(manager.history(address, query));
  const auto detail = TRY(manager.registry().server(address, kNtsEntries));
  return pages.server(summary_of(manager, history.monitors.size()), detail, history,
                      form != nullptr ? *form : name_form(detail.view.nts), manager.unix_now());
}

net::HttpResponse name_server(const Pages& pages, service::Manager& manager,
                              std::string_view admin_token, const net::HttpRequest& request) {
  const std::string_view address = request.param("address");
  const NameForm form = submit_name_form(manager, admin_token, request);
  if (form.status == 303) {
    auto out = net::http_text(303, "text/plain; charset=utf-8", "");
    out.headers.set("Location", "/scores/" + net::percent_encode(address) + "#nts");
    return out;
  }
  auto page = one_server(pages, manager, address, &form);
  if (!page.ok()) return error_page(page.error());
  auto out = html(std::move(*page));
  out.status = form.status;
  return out;
}

}  // namespace

void add_page_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token) {
  const auto pages = std::make_shared<const Pages>();
  router.on("GET", "/", [pages, &manager](const net::HttpRequest&) {
    auto page = server_list(*pages, manager);
    return page.ok() ? html(std::move(*page)) : error_page(page.error());
  });
  router.on("GET", "/scores/{address}", [pages, &manager](const net::HttpRequest& request) {
    auto page = one_server(*pages, manager, request.param("address"), nullptr);
    return page.ok() ? html(std::move(*page)) : error_page(page.error());
  });
  router.on("POST", "/scores/{address}/name",
            [pages, &manager, token = std::move(admin_token)](const net::HttpRequest& request) {
              return name_server(*pages, manager, token, request);
            });
  router.on("GET", pages->style_path(), [pages](const net::HttpRequest&) {
    auto out = net::http_text(200, "text/css; charset=utf-8", pages->style());
    out.headers.set("Cache-Control", "public, max-age=31536000, immutable");
    return out;
  });
}

}  // namespace timepool::web
