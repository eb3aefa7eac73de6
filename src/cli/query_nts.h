// timepool query --nts: establishes keys with a server of NTS and asks for the time by them, and
// shows each step of it: look-up, TCP, TLS, records, keys, NTP. For people who look after a server.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

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
  // Of the name, where they were looked up before; and what is to be said of them.
  std::optional<std::vector<IpAddress>> known_addresses = {};
  std::string address_note = {};
  Duration address_took = {};
  bool json = false;
};

// The exit status: kOk when every step went well.
int query_nts(const NtsQueryOptions& options);
// As a part of something: whether every step went well, and the steps as JSON when that is wanted.
bool query_nts(const NtsQueryOptions& options, boost::json::object& out);

}  // namespace timepool::cli
