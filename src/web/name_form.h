// The form of a server's page by which the administration names it for NTS, or takes the name away:
// what /v1/servers/{address}/name does, without a script. The token comes with each form, so no
// other site can send one in somebody's name.
#pragma once

#include <string>
#include <string_view>

#include "net/http_message.h"
#include "service/manager.h"

namespace timepool::web {

// What stands in the fields, and what was wrong with what was sent.
struct NameForm {
  std::string name;
  std::string port;
  std::string account_uris;  // with spaces between
  int status = 200;          // not 200: `fault` says why nothing was done
  std::string fault;
};

// As the server is.
NameForm name_form(const service::NtsView& nts);
// Does what the form sent; status 303 when it is done.
NameForm submit_name_form(service::Manager& manager, std::string_view admin_token,
                          const net::HttpRequest& request);

}  // namespace timepool::web
