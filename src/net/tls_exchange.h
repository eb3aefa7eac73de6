// TlsExchange: a client's TLS connection for one question and its answer, on the reactor: connect,
// handshake, send, receive, end; all within one deadline. It never blocks, and calls no more of the
// sockets' functions than a network simulator has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/time.h"
#include "net/reactor.h"
#include "net/tls_session.h"
#include "sys/fd.h"

namespace timepool::net {

// What is said over the connection. Called by the exchange, on its thread.
class TlsDialogue {
 public:
  virtual ~TlsDialogue() = default;
  // The handshake is over: what to send. Valid until the exchange is.
  virtual Bytes question(const TlsSession& session) = 0;
  // Octets of the answer, cut anywhere. True when no more is wanted.
  virtual bool handle_answer(Bytes octets, const TlsSession& session) = 0;
};

enum class TlsExchangeEnd : std::uint8_t {
  kAnswered,     // the dialogue wants no more
  kRefused,      // nobody listens there
  kUnreachable,  // no way there
  kTimeout,
  kTls,    // see `fault`
  kEnded,  // the server ended the connection before the dialogue had all
  kSystem  // no descriptor, memory, ...
};
inline constexpr std::size_t kTlsExchangeEndCount = 7;
// "answered", "refused", ...
std::string_view name_of(TlsExchangeEnd end);

enum class TlsStep : std::uint8_t { kConnect, kHandshake, kAnswer };
// "connect", "handshake", "answer"
std::string_view name_of(TlsStep step);

struct TlsExchangeResult {
  TlsExchangeEnd end = TlsExchangeEnd::kSystem;
  TlsStep step = TlsStep::kConnect;  // where it ended
  TlsFault fault = TlsFault::kNone;  // of kTls
  std::string text;                  // for a person: why there is no answer; "" when there is
  Duration connected;                // since the start, zero when it did not come to it
  Duration opened;                   // the same, for the end of the handshake
  Duration total;                    // the same, for the end of the answer
  std::string version;               // "TLSv1.3"; these two "" before the handshake's end
  std::string cipher;
  std::optional<CertificateInfo> certificate;    // as soon as it was seen, refused or not
  TlsFault certificate_fault = TlsFault::kNone;  // what was or would be wrong with it
  std::string certificate_fault_text;
};

struct TlsExchangeRequest {
  Endpoint server;
  TlsPeer peer;
  std::shared_ptr<const TlsClientContext> context;
  Duration timeout = Duration::seconds(5);  // for all of it
};

class TlsExchange {
 public:
  // How long a server is given to end the connection once all is said. RFC 8446 6.1 has both sides
  // say goodbye; who closes before that may make the system reset the connection.
  static constexpr Duration kFarewell = Duration::milliseconds(500);
  using Done = std::function<void(const TlsExchangeResult&)>;

  // Begins. `done` is called once, from the reactor and never from here; it may destroy the
  // exchange. Destroyed before, the exchange is given up and `done` never called. The dialogue must
  // outlive it.
  TlsExchange(Reactor& reactor, TlsExchangeRequest request, TlsDialogue& dialogue, Done done);
  TlsExchange(const TlsExchange&) = delete;
  TlsExchange& operator=(const TlsExchange&) = delete;

 private:
  void begin();
  void handle_ready(short ready);
  void handle_connected();
  void receive();
  // False when there is no more to say.
  bool advance();
  bool read_plain();
  void flush();
  void begin_farewell();
  void fail_by_errno(int value, const char* what);
  void fail_by_tls();
  void handle_timeout();
  void finish(TlsExchangeEnd end, std::string text);

  Reactor& reactor_;
  TlsExchangeRequest request_;
  TlsDialogue& dialogue_;
  Done done_;
  MonoTime started_;
  std::unique_ptr<TlsSession> session_;
  sys::Fd fd_;
  Watch watch_;
  Timer deadline_;
  Timer soon_;  // for an end that was known at once
  bool asked_ = false;
  bool answered_ = false;  // the dialogue is over, the connection not yet
  TlsExchangeResult result_;
};

}  // namespace timepool::net
