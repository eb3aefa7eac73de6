// HttpRouter: which handler answers which method and path. Filled before the server starts, read
// by all of its threads afterwards.
//
//   router.on("GET", "/v1/servers/{address}", [&](const HttpRequest& request) {
//     return http_json(200, server_json(request.param("address")));
//   });
//
// A literal segment wins over a {name}. HEAD is answered by the GET handler, OPTIONS by the router.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/duration.h"
#include "net/change_signal.h"
#include "net/http_message.h"
#include "net/http_target.h"

namespace timepool::net {

// What a long-poll handler returns when it has nothing to say yet: call me again when `signal`
// moved on from `seen`, or `at_most` after the first call. Read signal->version() before looking
// at the state, so that a change in between is not missed.
struct HttpWait {
  std::shared_ptr<ChangeSignal> signal;
  std::uint64_t seen = 0;
  Duration at_most;
};
using HttpOutcome = std::variant<HttpResponse, HttpWait>;

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;
// `last` is set when the time is up or the server stops: the handler must answer now.
using HttpPollHandler = std::function<HttpOutcome(const HttpRequest&, bool last)>;

// Where a handler runs.
enum class HttpThread : unsigned char {
  kWorker,  // on a worker thread: it may block (SQLite, files)
  kLoop,    // on the server's I/O thread: it must be quick and never block
};

class HttpRouter {
 public:
  // `pattern` is "/a/{name}/b"; CHECKs that it is well formed and not yet taken.
  void on(std::string_view method, std::string_view pattern, HttpHandler handler,
          HttpThread thread = HttpThread::kWorker);
  void on_poll(std::string_view method, std::string_view pattern, HttpPollHandler handler,
               HttpThread thread = HttpThread::kWorker);

  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;  // "{name}" matches any one segment that is not empty
    HttpPollHandler handler;
    HttpThread thread = HttpThread::kWorker;
  };
  struct Match {
    const Route* route = nullptr;  // null: no route of that method
    HttpPairs params;
    std::string allow;  // "GET, HEAD, OPTIONS": the methods of the path; "" when none matches
  };
  Match match(std::string_view method, const HttpTarget& target) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace timepool::net
