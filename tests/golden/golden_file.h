// The files of tests/golden/ntp: requests to the server with the replies to them, octet by octet.
// A file is cases; a case is a server and the datagrams that it gets one after another:
//
//   # what the file shows
//   set clock good                  for all cases below; within a case for that one alone
//   case a_client_of_version_4
//   from 192.0.2.10:40000           who sends what follows; the usual one is named below
//   at 2.5                          when: seconds after the first moment of all
//   > 230006ec 00000000 ...         the request in hexadecimal digits, spaces anywhere, in any
//   > 00*32                         number of lines up to an empty one; 00*32 are 32 octets
//   reason answered_plain
//   < 240206e9 ...                  the reply; none when there is none
//
// What comes after a request may be left out in a new file, and written by the test itself. Any
// number of requests follow each other, with an empty line between.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"

namespace timepool::golden {

using Octets = std::vector<std::byte>;

struct Exchange {
  Duration at;
  Endpoint from;
  Octets request;
  std::string reason;
  Octets reply;
  std::size_t request_end = 0;  // lines of the file before what is expected, and before what
  std::size_t end = 0;          // follows that
};

struct Case {
  std::string name;
  std::map<std::string, std::string> settings;
  std::vector<Exchange> exchanges;
};

struct File {
  std::vector<std::string> lines;
  std::vector<Case> cases;
};

// What is wrong with a file is thrown as std::runtime_error: these are tests.
File read_file(const std::string& path);
// What the server said to an exchange, as the file has it.
std::string expectation(std::string_view reason, const Octets& reply);
// The file with `expectations`, one for each exchange in order, in place of those that it has.
std::string rewritten(const File& file, const std::vector<std::string>& expectations);

}  // namespace timepool::golden
