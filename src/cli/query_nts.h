// timepool query --nts: establishes keys with a server of NTS and asks for the time by them, and
// shows each step of it: look-up, TCP, TLS, records, keys, NTP. For people who look after a server.
#pragma once

#include <optional>
#include <string>

#include "base/duration.h"
#include "cli/ntp_asking.h"

namespace timepool::cli {

struct NtsQueryOptions {
  std::string server;  // HOST or HOST:PORT of the key establishment
  std::optional<std::string> address;
  std::optional<std::string> ca;
  std::optional<int> aead;
  bool no_verify = false;
  int count = 1;
  Duration interval = Duration::seconds(1);
  Duration timeout = Duration::seconds(2);  // of an NTP answer
  Families families;
  bool json = false;
};

// The exit status: kOk when every step went well.
int query_nts(const NtsQueryOptions& options);

}  // namespace timepool::cli
