// TlsSession: one TLS 1.3 connection over memory: octets of the network go in and come out, plain
// text goes in and comes out, and who called carries them. It opens nothing, waits for nothing and
// reads no clock. One thread at a time; several sessions of one context may be in several threads.
//
//   session.feed(octets from the network);      // or end() when there will be no more
//   while ((n = session.read(buffer)) > 0) ...  // plain text
//   session.write(plain text);
//   send(session.outgoing()); session.sent(n);  // after each of these, also after a fault
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"
#include "net/tls_context.h"
#include "net/tls_fault.h"
#include "net/tls_verification.h"

struct bio_st;
struct ssl_st;

namespace timepool::net {

// Which server a client wants.
struct TlsPeer {
  // A host name, which is asked for (SNI) and which the certificate must have; or an address as
  // text, which the certificate must have.
  std::string name;
  TlsDates dates;
  // False: faults of the certificate are told by certificate_fault() and accepted. To look at a
  // server only: anybody could be it.
  bool enforced = true;
};

class TlsSession {
 public:
  enum class State : unsigned char {
    kHandshake,
    kOpen,    // plain text flows
    kClosed,  // the peer said that it sends no more (close_notify); what it sent is read
    kFailed,  // fault() says why; what is outgoing, an alert maybe, is still to be sent
  };
  // More that came and was not read() is a fault: who calls reads all before it feeds again.
  static constexpr std::size_t kMaxUnread = 128 << 10;

  static std::unique_ptr<TlsSession> server(std::shared_ptr<const TlsServerContext> context);
  // Its first message is outgoing at once. Errors: kInvalid for what is neither a name nor an
  // address.
  static Result<std::unique_ptr<TlsSession>> client(std::shared_ptr<const TlsClientContext> context,
                                                    const TlsPeer& peer);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  State state() const { return state_; }
  // kNone unless kFailed.
  TlsFault fault() const { return fault_; }
  // For a person: "the certificate has expired: it ended on 2026-01-01T00:00:00Z".
  std::string fault_text() const;

  void feed(Bytes from_network);
  // The network has no more: kTruncated unless the peer said so first.
  void end();
  // Plain text into `out`; the count of octets, 0 when there is no more of it now.
  std::size_t read(MutableBytes out);
  // Only while the state is kOpen or kClosed, and not after close() (CHECKed).
  void write(Bytes plain);
  // Says that nothing more is sent (close_notify).
  void close();

  // What is to go to the network, valid until the next call; sent(n) takes the first n octets of
  // it away.
  Bytes outgoing() const;
  void sent(std::size_t count);

  // RFC 8446 7.5, RFC 5705: `out.size()` octets that both sides can make, by `label` and `context`.
  // False unless the handshake is done.
  bool export_key(std::string_view label, Bytes context, MutableBytes out) const;

  // Of a client: the server's certificate from its message on, also when it is refused; null
  // before.
  const CertificateInfo* certificate() const { return verification_.certificate.get(); }
  // What would be wrong with it, were it enforced; kNone before.
  TlsFault certificate_fault() const { return verification_.fault; }
  const std::string& certificate_fault_detail() const { return verification_.detail; }
  // "TLSv1.3", "TLS_AES_128_GCM_SHA256".
  std::string_view version() const;
  std::string_view cipher() const;
  // Whether the handshake continued an earlier connection by a ticket (RFC 8446 2.2).
  bool resumed() const;
  // Of a server: the name that the client asked for; empty: none.
  std::string_view server_name() const;

 private:
  TlsSession();
  void take(ssl_st* ssl);
  void advance();
  void finish_handshake();
  void fail_by_library(int result);
  void fail_with(TlsFault fault, std::string detail);

  std::shared_ptr<const TlsServerContext> server_;
  std::shared_ptr<const TlsClientContext> client_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  bio_st* in_ = nullptr;  // both are the session's own
  bio_st* out_ = nullptr;
  TlsVerification verification_;
  State state_ = State::kHandshake;
  bool closing_ = false;
  TlsFault fault_ = TlsFault::kNone;
  std::string detail_;
};

}  // namespace timepool::net
