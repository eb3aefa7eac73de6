// ChallengeBoard: the challenges that are live now, put up by the thread that talks with an
// authority and read by the one that serves them (challenge_listener.h). Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "acme/challenge_responder.h"
#include "certificates/conversation_runner.h"
#include "net/tls_context.h"
#include "sys/clock.h"

namespace timepool::certificates {

// RFC 8737 6.2.
inline constexpr std::string_view kAcmeTlsProtocol = "acme-tls/1";

class ChallengeBoard final : public Presenter {
 public:
  struct Live {
    acme::LiveChallenges http;
    // Null while nothing is to be proved by TLS.
    std::shared_ptr<const net::TlsServerContext> tls;
  };

  // `names`: those that requests may be for at all.
  explicit ChallengeBoard(const std::vector<std::string>& names);

  // Others from now on; what is live stays.
  void set_names(const std::vector<std::string>& names);

  Result<void> present(const std::vector<acme::Challenge>& challenges) override;
  void withdraw(Proved proved) override;

  // Never null; what it points to does not change.
  std::shared_ptr<const Live> live() const;

 private:
  // With the names of now.
  void publish(Live live);

  mutable std::mutex mutex_;
  std::vector<std::string> names_;
  std::shared_ptr<const Live> live_;
};

}  // namespace timepool::certificates
