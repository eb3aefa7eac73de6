// A server whose clock, keys and limits are as a golden file's settings say:
//
//   clock        good (stratum 2), gps (stratum 1), unsynchronised, insert and delete (a leap
//                second is announced), stale (made eleven minutes ago), smeared (a quarter of a
//                second behind)
//   interleaved  on
//   keys         on: those of tests/golden/ntp/keys
//   access       on: 198.51.100.0/24 is denied
//   limits       kiss: each refusal is told; silent: none is
//
// Time stands still but for what the exchanges say: replies leave 20 microseconds after their
// requests came, and the kernel knows of 5 more.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "golden_file.h"
#include "ntp/server/responder.h"

namespace timepool::golden {

struct Said {
  std::string reason;
  Octets reply;
};

// Every packet of the files came or was sent at this moment or some seconds after.
UnixTime first_moment();
// These throw what they do not know.
ntp::ServerState clock_of(const std::string& name);
std::shared_ptr<const ntp::KeyRing> keys_of(const std::string& path);

class Server {
 public:
  // `settings` that it does not know, and a key file that it can't read, are thrown.
  Server(const std::map<std::string, std::string>& settings, const std::string& key_file);
  Said answer(const Exchange& exchange);

 private:
  ntp::Service service_;
  ntp::Responder responder_;
};

}  // namespace timepool::golden
