// KeyConnection: one client's connection of key establishment: TLS, its one request, the one answer
// (RFC 8915 4). It reads and writes its socket when told that it can, and never blocks. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/time.h"
#include "net/tls_session.h"
#include "ntpd/key_counters.h"
#include "ntpd/key_service.h"
#include "nts/cookie_maker.h"
#include "nts/ke_server.h"
#include "sys/fd.h"

namespace timepool::ntpd {

class KeyConnection {
 public:
  enum class Phase : std::uint8_t {
    kAsking,   // TLS, then the request
    kTelling,  // what is to be sent is not all with the system yet
    kWaiting,  // all is said; the client may still read it, and then ends the connection
    kOver,
  };
  // What a client may go on to send after its request, unread by us.
  static constexpr std::size_t kMaxIgnored = 64 << 10;

  KeyConnection(sys::Fd socket, const IpAddress& from, std::shared_ptr<const KeyService> service,
                MonoTime now);

  // The socket can be read or written. `room` is where octets from it are put meanwhile. `hung_up`:
  // both sides have ended it (POLLHUP), what came before may still be unread.
  void handle_ready(nts::CookieMaker& cookies, MutableBytes room, bool hung_up);
  // The time for the request is over: RFC 8915 4.1.3 has an Error told, if TLS got that far.
  void handle_deadline();
  // It is to end at once.
  void give_up(KeyLoss why) { end(why); }

  Phase phase() const { return phase_; }
  bool wants_write() const { return blocked_; }
  int socket() const { return socket_.number(); }
  const IpAddress& from() const { return from_; }
  MonoTime began() const { return began_; }
  MonoTime deadline() const { return began_ + service_->deadline; }
  // What became of it; there from kWaiting on, or kOver.
  std::optional<ServedOutcome> outcome() const { return outcome_; }

 private:
  void receive(nts::CookieMaker& cookies, MutableBytes room);
  void take(Bytes octets, nts::CookieMaker& cookies);
  void open_messages();
  void take_request(nts::CookieMaker& cookies);
  void handle_end_of_stream();
  void ignore(MutableBytes room, bool hung_up);
  void answer(nts::KeReason reason);
  void flush();
  void finish_telling();
  void end(ServedOutcome outcome);

  sys::Fd socket_;
  IpAddress from_;
  std::shared_ptr<const KeyService> service_;
  MonoTime began_;
  // From the first octet on until all is said: silent connections cost little.
  std::unique_ptr<net::TlsSession> tls_;
  std::unique_ptr<nts::KeServer> messages_;
  Phase phase_ = Phase::kAsking;
  bool blocked_ = false;
  std::size_t ignored_ = 0;
  std::optional<ServedOutcome> decided_;  // by what was read, while it is not told
  std::optional<ServedOutcome> outcome_;
};

}  // namespace timepool::ntpd
