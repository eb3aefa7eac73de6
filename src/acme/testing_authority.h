// For tests: an authority in memory, which answers requests as RFC 8555 has it and judges their
// form, and a machine's life with it in made-up time.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "acme/base64url.h"
#include "acme/issuance.h"
#include "acme/message.h"
#include "acme/signer.h"

namespace timepool::acme::testing {

namespace json = boost::json;

// Its signatures are the text's own first octets, behind its name: who has the name can check them.
class FakeKey final : public AccountKey {
 public:
  explicit FakeKey(std::string name = "one")
      : name_(std::move(name)),
        jwk_(R"({"crv":"P-256","kty":"EC","x":")" + name_ + R"(","y":"y"})"),
        thumbprint_("print-of-" + name_) {}
  std::string_view algorithm() const override { return "ES256"; }
  std::vector<std::byte> sign(std::string_view text) const override {
    if (broken) return {};
    const std::string out = name_ + ":" + std::string(text.substr(0, 16));
    const auto octets = std::as_bytes(std::span(out.data(), out.size()));
    return {octets.begin(), octets.end()};
  }
  const std::string& jwk() const override { return jwk_; }
  const std::string& thumbprint() const override { return thumbprint_; }
  bool broken = false;

 private:
  std::string name_;
  std::string jwk_;
  std::string thumbprint_;
};

inline std::string text_of_octets(const std::vector<std::byte>& octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// A signed request, taken apart.
struct Signed {
  json::object header;
  std::string payload;
  std::string signed_text;
  std::string signature;

  static Signed of(std::string_view body) {
    Signed out;
    const json::value whole = json::parse(json::string_view(body.data(), body.size()));
    const auto part = [&](const char* key) {
      return std::string(whole.as_object().at(key).as_string());
    };
    out.header = json::parse(text_of_octets(from_base64url(part("protected")).value())).as_object();
    out.payload = text_of_octets(from_base64url(part("payload")).value());
    out.signed_text = part("protected") + "." + part("payload");
    out.signature = text_of_octets(from_base64url(part("signature")).value());
    return out;
  }
};

inline std::string problem(std::string_view type, std::string_view detail = "because") {
  return R"({"type":"urn:ietf:params:acme:error:)" + std::string(type) + R"(","detail":")" +
         std::string(detail) + "\"}";
}

inline const std::string kBase = "https://ca.test/";
inline const std::string kCertificate =
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

class FakeAuthority {
 public:
  // Answers before the authority does; nothing lets it answer itself.
  using Hook = std::function<std::optional<Reply>(const Request&, const Signed*)>;
  Hook hook;
  json::object meta;
  bool renewal_info = true;
  std::string order_status = "pending";
  // How often an authorization, and an order after it was finalised, is still not done.
  int validations_left = 0;
  int processings_left = 0;
  std::string poll_retry_after;
  std::string authorization_status = "pending";
  std::vector<std::string> offers = {"dns-01", "http-01", "tls-alpn-01"};
  bool key_is_known = true;
  std::vector<std::string> asked;  // "newOrder", "authz/0", ... in order
  std::vector<std::string> payloads;
  int challenges_told = 0;

  Reply answer(const Request& request) {
    EXPECT_TRUE(request.url.starts_with(kBase)) << request.url;
    const std::string path = request.url.substr(kBase.size());
    asked.push_back(path);
    std::optional<Signed> parsed;
    if (request.method == Request::Method::kPost) {
      parsed = Signed::of(request.body);
      payloads.push_back(parsed->payload);
      check(request, *parsed);
    }
    Reply reply;
    auto hooked = hook ? hook(request, parsed ? &*parsed : nullptr) : std::nullopt;
    reply = hooked ? *hooked : usual(path, parsed ? &*parsed : nullptr);
    if (path != "dir" && reply.nonce.empty()) reply.nonce = new_nonce();
    if (reply.nonce == "none") reply.nonce.clear();
    return reply;
  }
  std::string new_nonce() {
    const std::string out = "nonce-" + std::to_string(++nonces_);
    good_nonces_.insert(out);
    return out;
  }
  std::size_t count(const std::string& path) const {
    return static_cast<std::size_t>(std::count(asked.begin(), asked.end(), path));
  }

 private:
  void check(const Request& request, const Signed& it) {
    EXPECT_EQ(it.header.at("url").as_string(), request.url);
    EXPECT_EQ(it.header.at("alg").as_string(), "ES256");
    EXPECT_NE(it.header.contains("kid"), it.header.contains("jwk"));
    // RFC 8555 6.5: each once.
    EXPECT_EQ(good_nonces_.erase(std::string(it.header.at("nonce").as_string())), 1U);
    EXPECT_EQ(it.signature.substr(it.signature.find(':') + 1), it.signed_text.substr(0, 16));
  }
  static Reply made(int status, std::string body) {
    Reply out;
    out.status = status;
    out.body = std::move(body);
    return out;
  }
  Reply usual(const std::string& path, const Signed* it) {
    if (path == "dir") return made(200, directory());
    if (path == "nonce") return made(200, "");
    if (path == "account") return account(*it);
    if (path == "order") return new_order(*it);
    if (path == "order/1") return made(200, order());
    if (path == "finalize") return finalize();
    if (path.starts_with("authz/")) {
      Reply out = made(200, authorization(path));
      out.retry_after = poll_retry_after;
      return out;
    }
    if (path.starts_with("chall/")) {
      ++challenges_told;
      return made(200, R"({"status":"processing"})");
    }
    if (path == "cert") return made(200, kCertificate + kCertificate);
    if (path.starts_with("renewal/")) return made(404, problem("malformed"));
    return made(404, problem("malformed"));
  }
  std::string directory() {
    json::object out{{"newNonce", kBase + "nonce"},
                     {"newAccount", kBase + "account"},
                     {"newOrder", kBase + "order"},
                     {"keyChange", kBase + "key-change"},
                     {"meta", meta}};
    if (renewal_info) out["renewalInfo"] = kBase + "renewal";
    return json::serialize(out);
  }
  Reply account(const Signed& it) {
    EXPECT_TRUE(it.header.contains("jwk"));
    Reply out = made(201, R"({"status":"valid"})");
    out.location = kBase + "account/7";
    return out;
  }
  Reply new_order(const Signed& it) {
    EXPECT_EQ(it.header.at("kid").as_string(), kBase + "account/7");
    identifiers_ = json::parse(it.payload).as_object().at("identifiers").as_array();
    status_ = order_status;
    Reply out = made(201, order());
    out.location = kBase + "order/1";
    return out;
  }
  std::string order() {
    if (status_ == "processing" && processings_left-- <= 0) status_ = "valid";
    json::array authorizations;
    for (std::size_t i = 0; i < identifiers_.size(); ++i) {
      authorizations.emplace_back(kBase + "authz/" + std::to_string(i));
    }
    json::object out{{"status", status_},
                     {"identifiers", identifiers_},
                     {"authorizations", authorizations},
                     {"finalize", kBase + "finalize"}};
    if (status_ == "valid") out["certificate"] = kBase + "cert";
    return json::serialize(out);
  }
  std::string authorization(const std::string& path) {
    const auto index = static_cast<std::size_t>(std::stoi(path.substr(6)));
    std::string status = authorization_status;
    if (status == "pending" && challenges_told > 0 && validations_left-- <= 0) status = "valid";
    if (status == "valid" && status_ == "pending" && index + 1 == identifiers_.size()) {
      status_ = "ready";
    }
    json::array challenges;
    for (const std::string& type : offers) {
      challenges.push_back(json::object{{"type", type},
                                        {"url", kBase + "chall/" + std::to_string(index)},
                                        {"token", "token-" + std::to_string(index)},
                                        {"status", "pending"}});
    }
    return json::serialize(json::object{
        {"status", status}, {"identifier", identifiers_.at(index)}, {"challenges", challenges}});
  }
  Reply finalize() {
    status_ = "processing";
    return made(200, order());
  }

  int nonces_ = 0;
  std::set<std::string> good_nonces_;
  json::array identifiers_;
  std::string status_ = "pending";
};

// Drives a machine to its end. `now` goes on as far as it waits.
class Life {
 public:
  explicit Life(FakeAuthority& authority) : authority_(authority) {}
  MonoTime now = MonoTime::from_ns(1'000'000'000'000);
  Duration waited;
  // The numbers of the requests to which no reply comes, from 1.
  std::set<int> lost;
  int requests = 0;
  bool presents = true;

  // More steps than any machine makes.
  static constexpr int kMaxSteps = 20'000;

  void run(Conversation& machine) {
    Issuance* issuance = dynamic_cast<Issuance*>(&machine);
    for (int i = 0; i < kMaxSteps; ++i) {
      switch (machine.want(now)) {
        case Want::kRequest:
          send(machine);
          break;
        case Want::kWait:
          waited += machine.wait_until() - now;
          now = machine.wait_until();
          break;
        case Want::kPresent:
          if (presents) {
            issuance->handle_presented(now);
          } else {
            issuance->handle_not_presented("no socket");
          }
          break;
        case Want::kReply:
          FAIL() << "nothing is under way";
        case Want::kNothing:
          return;
      }
    }
    FAIL() << "it does not end";
  }

 private:
  void send(Conversation& machine) {
    const auto request = machine.take_request();
    if (!request) return;
    EXPECT_EQ(machine.want(now), Want::kReply);
    const Reply reply = authority_.answer(*request);
    now = now + Duration::milliseconds(10);
    if (lost.contains(++requests)) return machine.handle_no_reply(now, "timed out");
    machine.handle_reply(now, reply);
  }
  FakeAuthority& authority_;
};

}  // namespace timepool::acme::testing
