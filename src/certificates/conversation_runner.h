// Carries a machine of ACME (acme/conversation.h) over HTTPS, until it is over or cancelled. It
// blocks; cancel() may come from any other thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "acme/conversation.h"
#include "acme/issuance.h"
#include "base/result.h"
#include "net/http_client.h"
#include "sys/log.h"

namespace timepool::certificates {

// Where challenges are served while an authority looks: by listeners of our own, in the directory
// of a web server, by a program.
enum class Proved : std::uint8_t { kYes, kNo };
class Presenter {
 public:
  virtual ~Presenter() = default;
  // They are live when it returns. Errors are for a person.
  virtual Result<void> present(const std::vector<acme::Challenge>& challenges) = 0;
  // None is live any more; `proved`: what became of what they were for.
  virtual void withdraw(Proved proved) = 0;
};

struct HttpsOptions {
  std::string user_agent = "timepool";  // RFC 8555 6.1
  std::string ca_file;                  // PEM; "": the system's authorities
  Duration connect_timeout = Duration::seconds(10);
  Duration total_timeout = Duration::seconds(60);
};

class ConversationRunner {
 public:
  explicit ConversationRunner(sys::Logger& logger) : logger_(logger) {}

  // Until `machine` is over: its own limits see to that. A cancelled one is left as it is.
  void run(acme::Conversation& machine, const HttpsOptions& options);
  // The same for one that wants challenges served; they are withdrawn at its end.
  void run(acme::Issuance& machine, const HttpsOptions& options, Presenter& presenter);

  // Ends what runs, and all later ones, at once. Any thread.
  void cancel();
  bool cancelled() const;

 private:
  void carry(acme::Conversation& machine, const HttpsOptions& options,
             const std::function<void()>& present);
  void send(acme::Conversation& machine, const HttpsOptions& options);
  void wait_until(MonoTime until);

  sys::Logger& logger_;
  net::HttpClient http_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool cancelled_ = false;
};

}  // namespace timepool::certificates
