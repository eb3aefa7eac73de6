#include "golden_sender.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "base/check.h"
#include "ntp/peer_exchange.h"
#include "ntp/server/broadcast.h"
#include "ntp/symmetric_authenticator.h"

namespace timepool::golden {
namespace {

constexpr std::int8_t kPoll = 6;
constexpr Duration kLater = Duration::seconds(1);

ntp::LocalTime at(Duration since) {
  return {MonoTime::from_ns(1'000'000'000) + since, first_moment() + since};
}

Octets octets(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<ntp::Dialogue> peer_of(const ntp::ServerState& clock) {
  auto own = std::make_shared<ntp::OwnClock>();
  own->state = clock;
  ntp::ExchangeConfig config;
  // All bits of the clock are known: none is filled at random.
  config.precision = -32;
  return std::make_unique<ntp::PeerExchange>(config, std::move(own));
}

}  // namespace

Sender::Sender(const std::map<std::string, std::string>& settings, const std::string& key_file) {
  bool symmetric = false;
  for (const auto& [name, value] : settings) {
    if (name == "send" && (value == "peer" || value == "broadcast")) {
      symmetric = value == "peer";
    } else if (name == "clock") {
      clock_ = clock_of(value);
    } else if (name == "key") {
      key_ = keys_of(key_file)->share(static_cast<ntp::KeyId>(std::stoul(value)));
    } else {
      throw std::runtime_error("no such setting: " + name + " " + value);
    }
  }
  if (key_ == nullptr) throw std::runtime_error("no such key");
  proof_ = std::make_unique<ntp::SymmetricAuthenticator>(key_);
  if (symmetric) peer_ = peer_of(clock_);
}

Said Sender::send(const Exchange& exchange) {
  if (peer_ == nullptr) return broadcast(at(exchange.at + kLater).raw);
  Said out{"silence", {}};
  if (!exchange.request.empty()) {
    const ntp::LocalTime came = at(exchange.at);
    const ntp::Reply heard = peer_->handle_datagram({came, came.raw}, exchange.request, *proof_);
    out.reason = name_of(heard.reason);
  }
  std::array<std::byte, 256> buffer{};
  ByteWriter writer(buffer);
  CHECK(peer_->start(at(exchange.at + kLater), kPoll, random_, *proof_, writer));
  out.reply = octets(writer.written());
  return out;
}

Said Sender::broadcast(UnixTime now) const {
  std::array<std::byte, ntp::kMaxBroadcastSize> buffer{};
  ByteWriter writer(buffer);
  if (!write_broadcast(clock_, now, kPoll, *key_, writer)) return {"not_sent", {}};
  CHECK(writer.ok());
  return {"sent", octets(writer.written())};
}

}  // namespace timepool::golden
