// Any text as each of the bodies that an authority sends: directory, order, authorisation, chain,
// problem. What is taken of it is within the bounds that its readers rely on, and what a person is
// shown is one line. The first octet chooses what it is taken for.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "acme/base64url.h"
#include "acme/directory.h"
#include "acme/message.h"
#include "acme/problem.h"
#include "acme/resources.h"
#include "base/check.h"

namespace {

using namespace timepool::acme;  // NOLINT: a test program of one file

bool is_plain(std::string_view text, std::size_t most) {
  return text.size() <= most && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
         });
}

void check_problem(const Problem& problem) {
  CHECK(problem.parts.size() <= Problem::kMaxParts);
  for (const std::string* text : {&problem.type, &problem.detail, &problem.instance}) {
    CHECK(is_plain(*text, Problem::kMaxText));
  }
  // What is there, one more part that is begun, and where to look it up.
  CHECK(is_plain(describe(problem), 8 * Problem::kMaxText));
  for (const int status : {200, 400, 429, 500}) CHECK(!name_of(kind_of(problem, status)).empty());
}

void check_directory(std::string_view body) {
  const auto directory = parse_directory(body);
  if (!directory.ok()) return;
  for (const std::string* url :
       {&directory->new_nonce, &directory->new_account, &directory->new_order}) {
    CHECK(is_https_url(*url));
  }
  for (const std::string* url :
       {&directory->key_change, &directory->revoke_cert, &directory->renewal_info}) {
    CHECK(url->empty() || is_https_url(*url));
  }
  CHECK(is_plain(directory->terms_of_service, Directory::kMaxText));
  CHECK(directory->profiles.size() <= Directory::kMaxProfiles);
  for (const auto& [name, text] : directory->profiles) {
    CHECK(name.size() <= Directory::kMaxText && is_plain(text, Directory::kMaxText));
  }
}

void check_order(std::string_view body) {
  const auto order = parse_order(body);
  if (!order.ok()) return;
  CHECK(parse_status(name_of(order->status)) == order->status);
  CHECK(order->identifiers.size() <= kMaxNames);
  CHECK(std::is_sorted(order->identifiers.begin(), order->identifiers.end()));
  CHECK(!order->authorizations.empty() && order->authorizations.size() <= kMaxNames);
  for (const std::string& url : order->authorizations) CHECK(is_https_url(url));
  CHECK(is_https_url(order->finalize));
  CHECK(order->certificate.empty() || is_https_url(order->certificate));
  check_problem(order->error);
}

void check_authorization(std::string_view body) {
  const auto authorization = parse_authorization(body);
  if (!authorization.ok()) return;
  CHECK(!authorization->identifier.value.empty());
  CHECK(authorization->challenges.size() <= Authorization::kMaxChallenges);
  for (const OfferedChallenge& it : authorization->challenges) {
    check_problem(it.error);
    CHECK(is_plain(it.type, kMaxToken) && is_plain(it.status, kMaxToken));
    if (!parse_challenge_type(it.type)) continue;
    CHECK(is_https_url(it.url) && is_base64url(it.token) && it.token.size() <= kMaxToken);
  }
}

void check_chain(std::string_view body) {
  const auto chain = split_chain(body);
  if (!chain.ok()) return;
  CHECK(!chain->empty() && chain->size() <= kMaxChain);
  std::string all;
  for (const std::string& one : *chain) all += one;
  const auto again = split_chain(all);
  CHECK(again.ok() && *again == *chain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0]) {
    case 'd':
      check_directory(body);
      break;
    case 'o':
      check_order(body);
      break;
    case 'a':
      check_authorization(body);
      break;
    case 'c':
      check_chain(body);
      break;
    default:
      check_problem(parse_problem(body));
      break;
  }
  return 0;
}
