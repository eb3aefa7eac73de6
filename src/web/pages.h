// The pages for people: the list of servers and one server with its history. Complete without
// scripts; ctemplate escapes every value by its place in the page.
#pragma once

#include <memory>
#include <string>

#include "net/http_router.h"
#include "service/manager.h"
#include "web/name_form.h"

namespace timepool::web {

// Adds "/", "/scores/{address}" with the form of its name, and the style sheet. `manager` outlives
// the router.
void add_page_routes(net::HttpRouter& router, service::Manager& manager, std::string admin_token);

// The pages alone, for tests: `now` is what "ago" is counted from.
class Pages {
 public:
  Pages();
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  struct Summary {
    std::string pool;
    std::size_t monitors = 0;
    std::uint64_t serial = 0;
    double min_score = 0;
  };
  std::string servers(const Summary& summary, const std::vector<service::ServerView>& servers,
                      UnixTime now) const;
  // `history` with all entries of the server and its monitors.
  std::string server(const Summary& summary, const service::ServerDetail& detail,
                     const service::Manager::History& history, const NameForm& form,
                     UnixTime now) const;

  const std::string& style() const { return style_; }
  // "/static/style.0123456789ab.css": changes with its content, so it may be cached for good.
  const std::string& style_path() const { return style_path_; }

 private:
  class Templates;
  std::unique_ptr<Templates> templates_;
  std::string style_;
  std::string style_path_;
};

}  // namespace timepool::web
