// What we send unasked, for the files of tests/golden/sent, as their settings say:
//
//   send   peer (symmetric mode), broadcast
//   clock  those of golden_server.h
//   key    the number of one of tests/golden/ntp/keys
//
// An exchange is what comes first and what we send a second later; nothing came where the request
// is of no octets, 00*0. Its reason is the peer's of what came, or silence; of a broadcast: sent,
// or not_sent without an answer.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "golden_file.h"
#include "golden_server.h"
#include "ntp/authenticator.h"
#include "ntp/dialogue.h"
#include "ntp/random_stream.h"

namespace timepool::golden {

class Sender {
 public:
  // Throws for settings that it does not know, and for a key file that it can't read.
  Sender(const std::map<std::string, std::string>& settings, const std::string& key_file);
  Said send(const Exchange& exchange);

 private:
  Said broadcast(UnixTime now) const;

  ntp::ServerState clock_ = clock_of("good");
  std::shared_ptr<const ntp::SymmetricKey> key_;
  ntp::RandomStream random_{SiphashKey{1, 2}};
  std::unique_ptr<ntp::Authenticator> proof_;
  std::unique_ptr<ntp::Dialogue> peer_;  // null: broadcasts
};

}  // namespace timepool::golden
