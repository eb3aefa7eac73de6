// The daemon's part of Network Time Security: the server of key establishment.
#include <algorithm>
#include <utility>

#include "ntpd/daemon.h"
#include "wire/ntp/header.h"

namespace timepool::ntpd {
namespace {

// The port that clients are sent to: 123 if that is served.
std::uint16_t ntp_port_of(const TimeServer* server) {
  if (server == nullptr) return wire::ntp::kNtpPort;
  const std::vector<Endpoint> all = server->addresses();
  const bool usual = std::any_of(all.begin(), all.end(),
                                 [](const Endpoint& at) { return at.port == wire::ntp::kNtpPort; });
  return usual || all.empty() ? wire::ntp::kNtpPort : all.front().port;
}

}  // namespace

Result<void> Daemon::make_key_server() {
  if (config_.nts.server) {
    KeyServer::Options options;
    options.ntp_port = ntp_port_of(server_.get());
    options.inherited = &succession_.inherited();
    if (acme_) options.acme = acme_files(acme_->store());
    key_server_ = TRY(KeyServer::create(reactor_, logger_, *config_.nts.server, options));
  }
  succession_.inherited().drop_listeners();
  return {};
}

Result<void> Daemon::begin_key_server() {
  if (!key_server_) return {};
  TRY(key_server_->begin());
  for (const Endpoint& at : key_server_->addresses()) {
    logger_.info("establishing keys on {}", format(at));
  }
  // Its simulator's poll() knows no descriptors of this kind.
  if (in_network_simulator()) return {};
  certificate_watch_.emplace(reactor_, logger_, [this] { key_server_->look_at_certificates(); });
  certificate_watch_->set(config_.nts.server->certificates);
  return {};
}

Result<void> Daemon::reload_key_server(config::NtpdConfig& next, boost::json::array& restart) {
  if (next.nts.server.has_value() != config_.nts.server.has_value()) {
    restart.emplace_back("nts.server");
    next.nts.server = config_.nts.server;  // what runs stays
    return {};
  }
  if (!key_server_) return {};
  if (!TRY(key_server_->reload(*next.nts.server, ntp_port_of(server_.get())))) {
    restart.emplace_back("nts.server.listen, threads and limits.clients");
  }
  if (certificate_watch_) certificate_watch_->set(next.nts.server->certificates);
  return {};
}

std::vector<int> Daemon::served_descriptors() const {
  std::vector<int> out;
  if (server_) out = server_->descriptors();
  if (key_server_) {
    const std::vector<int>& more = key_server_->descriptors();
    out.insert(out.end(), more.begin(), more.end());
  }
  if (acme_) {
    const std::vector<int> more = acme_->descriptors();
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace timepool::ntpd
