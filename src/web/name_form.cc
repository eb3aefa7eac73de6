#include "web/name_form.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "net/http_target.h"
#include "service/secrets.h"

namespace timepool::web {
namespace {

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

std::string value_of(const net::HttpPairs& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

Result<std::optional<std::uint16_t>> port_of(std::string_view text) {
  if (text.empty()) return std::optional<std::uint16_t>();
  std::uint16_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out == 0) {
    return fail(Error{ErrorCode::kInvalid, "port", "expected an integer, 1 to 65535"});
  }
  return std::optional<std::uint16_t>(out);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

Result<void> set_name(service::Manager& manager, std::string_view address, const NameForm& form) {
  service::NewName name;
  name.name = form.name;
  name.port = TRY(port_of(form.port));
  name.account_uris = words_of(form.account_uris);
  return manager.names().set(address, name);
}

NameForm ended(NameForm form, int status, std::string fault) {
  form.status = status;
  form.fault = std::move(fault);
  return form;
}

bool is_form(const net::HttpRequest& request) {
  const std::string_view type = request.headers.value("Content-Type");
  return net::equal_ignoring_case(type.substr(0, std::min(type.find(';'), type.size())), kFormType);
}

}  // namespace

NameForm name_form(const service::NtsView& nts) {
  NameForm out;
  if (nts.state == pool::NtsState::kUnnamed || nts.state == pool::NtsState::kRemoved) return out;
  out.name = nts.name;
  out.port = std::to_string(nts.port);
  for (const std::string& uri : nts.account_uris) {
    out.account_uris += (out.account_uris.empty() ? "" : " ") + uri;
  }
  return out;
}

NameForm submit_name_form(service::Manager& manager, std::string_view admin_token,
                          const net::HttpRequest& request) {
  NameForm out;
  if (!is_form(request)) return ended(std::move(out), 415, "expected " + std::string(kFormType));
  const auto fields = net::parse_pairs(request.body);
  if (!fields.ok()) return ended(std::move(out), 400, "the form's encoding is damaged");
  out.name = value_of(*fields, "name");
  out.port = value_of(*fields, "port");
  out.account_uris = value_of(*fields, "account_uris");
  if (!service::equal_secrets(value_of(*fields, "token"), admin_token)) {
    return ended(std::move(out), 403, "this is not the token of the administration");
  }
  const std::string action = value_of(*fields, "action");
  if (action != "set" && action != "remove") {
    return ended(std::move(out), 400, "action: expected set or remove");
  }
  const std::string_view address = request.param("address");
  const auto done =
      action == "set" ? set_name(manager, address, out) : manager.names().remove(address);
  if (done.ok()) return ended(std::move(out), 303, "");
  const int status = net::http_error(done.error()).status;
  return ended(std::move(out), status,
               status == 500 ? "internal error; see the log" : done.error().text());
}

}  // namespace timepool::web
