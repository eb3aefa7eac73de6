// Hook: challenges that a program of the operator's sees to, in whatever server it likes:
//
//   PROGRAM begin TYPE NAME TOKEN AUTHORIZATION    status 0: the challenge can be seen now
//   PROGRAM done TYPE NAME TOKEN AUTHORIZATION     it was seen, and need not be any longer
//   PROGRAM failed TYPE NAME TOKEN AUTHORIZATION   it came to nothing
//
// TYPE is "http-01" or "tls-alpn-01", AUTHORIZATION the key authorization (RFC 8555 8.1). A process
// that runs it is started before the sandbox, in which nothing can be executed: it has no
// capabilities, takes nothing but these five words, and ends with its parent. What the program
// prints goes where this program's log goes. One that takes too long is killed, and if that was
// "begin", "failed" is told too: half of the work may be done.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/time.h"
#include "certificates/conversation_runner.h"
#include "sys/fd.h"

namespace timepool::certificates {

class Hook final : public Presenter {
 public:
  // Octets of the five words together.
  static constexpr std::size_t kMaxRequest = 4096;

  // What may be told from end() on is told within this, or within `timeout` if that is shorter.
  static constexpr Duration kFarewell = Duration::seconds(5);

  // Before there are threads. Errors: `program` can't be executed, the system's.
  static Result<std::unique_ptr<Hook>> start(const std::string& program, Duration timeout);
  ~Hook() override { end(); }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  // Of those that were begun before one failed "failed" is told.
  Result<void> present(const std::vector<acme::Challenge>& challenges) override;
  void withdraw(Proved proved) override;
  // This program ends: a "begin" that runs is cut off, no other is begun, and what was begun can be
  // withdrawn as long as kFarewell lasts. Any thread.
  void end();

 private:
  struct Ran {
    std::string fault;     // "": it ended with status 0
    bool cut_off = false;  // before its own end
  };

  Hook(std::string program, Duration timeout, sys::Fd socket)
      : program_(std::move(program)), timeout_(timeout), socket_(std::move(socket)) {}
  Ran run(std::string_view verb, const acme::Challenge& challenge);
  // How long it may be waited on for what is told: not at all once its time is over.
  Duration left(std::string_view verb, MonoTime told) const;

  std::string program_;
  Duration timeout_;
  sys::Fd socket_;
  std::int32_t told_ = 0;  // requests so far, which the other process counts too
  std::vector<acme::Challenge> begun_;
  std::atomic<std::int64_t> end_by_{MonoTime::max().ns()};  // a MonoTime
};

}  // namespace timepool::certificates
