// Asking an NTP server once, as commands do it, and what came of it as text and JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"
#include "ntp/query.h"

namespace timepool::cli {

// What became of one request. `failure` is empty when there is an answer.
struct Answer {
  ntp::Reply reply;
  std::string failure;
};

ntp::ExchangeConfig exchange_config(Duration timeout);
// Sends one request from a fresh socket and waits for its answer.
Result<Answer> ask(const Endpoint& server, Duration timeout, ntp::Query& query,
                   ntp::RandomStream& random);

boost::json::object json_of(const Answer& answer);
// "offset +12.3us delay 345us root distance 1.2ms stratum 2 refid ... leap none", or the failure.
std::string text_of(const Answer& answer);

// Which of a name's addresses are wanted.
struct Families {
  bool v4 = false;  // only these
  bool v6 = false;  // only those
};
// The addresses of a name or of an address. Errors: kNotFound.
Result<std::vector<IpAddress>> look_up(const std::string& host, const Families& families);

}  // namespace timepool::cli
