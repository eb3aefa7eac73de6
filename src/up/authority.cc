#include "up/authority.h"

#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "crypto/csr.h"
#include "net/http_client.h"
#include "sys/clock.h"
#include "sys/file.h"

namespace timepool::up {
namespace {

namespace json = boost::json;

constexpr Duration kLifetime = Duration::seconds(3650LL * 86'400);
constexpr std::size_t kMaxRoots = 1 << 20;

std::string listen_on(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

std::string settings_of(const Plan& plan) {
  const json::object settings{{"listenAddress", listen_on(plan.nts->authority_port)},
                              {"managementListenAddress", listen_on(plan.nts->management_port)},
                              {"certificate", plan.authority_file()},
                              {"privateKey", plan.path("authority.key")},
                              {"httpPort", plan.nts->challenge_port},
                              {"tlsPort", plan.nts->challenge_port},
                              {"ocspResponderURL", ""},
                              {"externalAccountBindingRequired", false}};
  return json::serialize(json::object{{"pebble", settings}}) + "\n";
}

bool can_run(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<std::string> find_pebble(const std::optional<std::string>& given) {
  if (given) {
    if (can_run(*given)) return *given;
    return fail(Error{ErrorCode::kNotFound, "--pebble " + *given, "can't be run"});
  }
  const char* directories = std::getenv("PATH");
  std::istringstream in(directories == nullptr ? "" : directories);
  for (std::string directory; std::getline(in, directory, ':');) {
    if (!directory.empty() && can_run(directory + "/pebble")) return directory + "/pebble";
  }
  return std::string();
}

Result<void> write_authority_files(const Plan& plan) {
  TRY(sys::write_file_atomic(plan.path("authority.json"), settings_of(plan), 0600));
  std::error_code ignored;
  if (std::filesystem::exists(plan.authority_file(), ignored)) return {};
  const crypto::SelfSigned made = TRY(
      crypto::make_server_certificate({parse_ip("127.0.0.1").value()}, kLifetime, sys::unix_now()));
  TRY(sys::write_file_atomic(plan.path("authority.key"), made.key, 0600));
  return sys::write_file_atomic(plan.authority_file(), made.certificate, 0600);
}

std::vector<std::string> authority_command(const Plan& plan) {
  return {plan.nts->pebble, "-config", plan.path("authority.json"), "-dnsserver", format(plan.dns)};
}

std::vector<std::string> authority_environment() {
  return {"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"};
}

Result<void> keep_root(const Plan& plan, Duration timeout) {
  net::HttpFetch request;
  request.url = plan.nts->root_url();
  request.ca_file = plan.authority_file();
  request.connect_timeout = timeout;
  request.total_timeout = timeout;
  const net::HttpResponse answer = TRY(net::fetch(request));
  if (answer.status != 200 || !answer.body.starts_with("-----BEGIN")) {
    return fail(Error{ErrorCode::kUnavailable, "fetch " + request.url, "no certificate"});
  }
  const auto before = sys::read_file(plan.roots_file(), kMaxRoots);
  std::string roots = before.ok() ? *before : "";
  if (roots.find(answer.body) == std::string::npos) roots += answer.body + "\n";
  return sys::write_file_atomic(plan.roots_file(), roots, 0600);
}

}  // namespace timepool::up
