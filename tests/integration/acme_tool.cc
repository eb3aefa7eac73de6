// For tests: the keeper of certificates with its listeners of challenges, driven by lines on
// standard input, each answered by one line of JSON:
//
//   open                     reads what is on disk
//   step                     does what is due; {"wait": seconds, ...report}
//   report                   what is known
//   request                  a new certificate at the next step
//   plausible 0|1            whether the clock may be believed (at first it may)
//   clock SECONDS            the clock that dates are judged by goes so much ahead of the system's
//   change_key URL           another key for the account
//   deactivate URL           ends the account
//   challenges               what the listeners answered
//
// Its one argument is a JSON file of settings: see settings_of().
#include <atomic>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "certificates/challenge_board.h"
#include "certificates/challenge_listener.h"
#include "certificates/keeper.h"
#include "net/reactor.h"
#include "sys/clock.h"
#include "sys/log.h"

namespace timepool::certificates {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? "" : std::string(value->as_string());
}

double number(const json::object& object, const char* key, double otherwise) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? otherwise : value->to_number<double>();
}

bool flag(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->as_bool();
}

std::vector<std::string> texts(const json::object& object, const char* key) {
  std::vector<std::string> out;
  if (const json::value* list = object.if_contains(key)) {
    for (const json::value& it : list->as_array()) out.emplace_back(it.as_string());
  }
  return out;
}

KeeperSettings settings_of(const json::object& in) {
  KeeperSettings out;
  out.path = text(in, "path");
  out.names = texts(in, "names");
  out.contacts = texts(in, "contacts");
  out.terms_agreed = flag(in, "terms_agreed");
  out.user_agent = "timepool-test";
  out.validation_limit = Duration::from_seconds(number(in, "validation_limit", 600));
  out.processing_limit = Duration::from_seconds(number(in, "processing_limit", 1800));
  if (in.contains("challenges")) {
    out.challenges.clear();
    for (const std::string& it : texts(in, "challenges")) {
      out.challenges.push_back(acme::parse_challenge_type(it).value());
    }
  }
  for (const json::value& it : in.at("authorities").as_array()) {
    const json::object& one = it.as_object();
    AuthoritySettings authority;
    authority.directory = text(one, "directory");
    authority.ca_file = text(one, "ca_file");
    authority.profile = text(one, "profile");
    authority.profile_required = flag(one, "profile_required");
    authority.external_key_id = text(one, "key_id");
    authority.external_secret = text(one, "secret");
    authority.preferred_chain = text(one, "preferred_chain");
    if (one.contains("mac")) authority.external_mac = *crypto::parse_jws_mac(text(one, "mac"));
    out.authorities.push_back(std::move(authority));
  }
  return out;
}

json::object object_of(const KeeperReport& report) {
  json::object out;
  out["state"] = json::parse(acme::format_state(report.state));
  constexpr std::array<const char*, 4> kSteps = {"wait", "wait_for_clock", "obtain", "ask"};
  out["step"] = kSteps[static_cast<std::size_t>(report.plan.step)];
  out["cause"] = std::string(name_of(report.plan.cause));
  out["at"] = format_utc(report.plan.at, 0);
  out["obtained"] = report.obtained;
  out["failed"] = report.failed;
  out["expiring"] = report.expiring;
  return out;
}

// The listeners, on a thread of their own as in a daemon.
class Listeners {
 public:
  Listeners(const json::object& settings, const ChallengeBoard& board) {
    add(texts(settings, "http"), ChallengeListener::Kind::kHttp, board);
    add(texts(settings, "tls"), ChallengeListener::Kind::kTls, board);
    thread_ = std::thread([this] {
      while (!ended_) reactor_.run_once(Duration::milliseconds(50));
    });
  }
  ~Listeners() { end(); }

  json::object counters() {
    end();
    json::object out;
    std::uint64_t handshakes = 0;
    std::uint64_t refused = 0;
    std::array<std::uint64_t, acme::kChallengeReasonCount> answers{};
    for (const auto& it : all_) {
      handshakes += it->counters().handshakes;
      refused += it->counters().refused;
      for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += it->counters().answers[i];
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
      out[std::string(name_of(static_cast<acme::ChallengeReason>(i)))] = answers[i];
    }
    out["handshakes"] = handshakes;
    out["refused"] = refused;
    return out;
  }

 private:
  void add(const std::vector<std::string>& endpoints, ChallengeListener::Kind kind,
           const ChallengeBoard& board) {
    for (const std::string& it : endpoints) {
      auto listener = ChallengeListener::bind(parse_endpoint(it, 0).value());
      if (!listener.ok()) {
        std::cerr << listener.error().text() << "\n";
        std::exit(2);
      }
      all_.push_back(
          std::make_unique<ChallengeListener>(reactor_, board, kind, std::move(listener).value()));
    }
  }
  void end() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }

  net::Reactor reactor_;
  std::vector<std::unique_ptr<ChallengeListener>> all_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

json::object failed(const Error& error) {
  return {{"error", error.text()}};
}

int run(const json::object& settings) {
  sys::Logger logger("acme_tool", sys::LogLevel::kDebug);
  Duration ahead;
  bool plausible = true;
  KeeperSettings keeper_settings = settings_of(settings);
  ChallengeBoard board(keeper_settings.names);
  Listeners listeners(settings, board);
  Keeper keeper(logger, std::move(keeper_settings), board, [&] { return sys::unix_now() + ahead; });
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command;
    std::string argument;
    words >> command >> argument;
    json::object answer;
    Result<void> done;
    if (command == "open") {
      done = keeper.open();
    } else if (command == "step") {
      answer["wait"] = keeper.step(plausible).to_seconds();
    } else if (command == "request") {
      keeper.request();
    } else if (command == "plausible") {
      plausible = argument == "1";
    } else if (command == "clock") {
      ahead = Duration::from_seconds(std::stod(argument));
    } else if (command == "change_key") {
      done = keeper.change_account_key(argument);
    } else if (command == "deactivate") {
      done = keeper.deactivate_account(argument);
    } else if (command == "challenges") {
      answer = listeners.counters();
    }
    if (!done.ok()) answer = failed(done.error());
    for (const auto& it : object_of(keeper.report())) answer.insert(it);
    answer["changed"] = keeper.take_changed();
    std::cout << json::serialize(answer) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace timepool::certificates

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: acme_tool SETTINGS.json\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  std::stringstream content;
  content << file.rdbuf();
  return timepool::certificates::run(boost::json::parse(content.str()).as_object());
}
