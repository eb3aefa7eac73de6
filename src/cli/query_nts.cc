#include "cli/query_nts.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/hex.h"
#include "cli/host_port.h"
#include "cli/nts_records.h"
#include "cli/print.h"
#include "cli/step_log.h"
#include "crypto/aead.h"
#include "net/reactor.h"
#include "net/tls_exchange.h"
#include "ntp/nts_authenticator.h"
#include "nts_client/key_dialogue.h"
#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using nts_client::KeyDialogue;

// RFC 8915 6: the port of NTS-KE.
constexpr std::uint16_t kKeyPort = 4460;
constexpr Duration kKeyTimeout = Duration::seconds(5);
// Of a name; each may take both timeouts.
constexpr std::size_t kMaxTried = 16;
constexpr std::string_view kNotVerified =
    "WARNING: --no-verify: nothing proves who answered; trust nothing of this";

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& it : parts) out += (out.empty() ? "" : ", ") + it;
  return out;
}

std::vector<std::string> names_of(const net::CertificateInfo& certificate) {
  std::vector<std::string> out;
  for (const std::string& it : certificate.dns_names) out.push_back(printable(it));
  for (const IpAddress& it : certificate.addresses) out.push_back(format(it));
  return out;
}

json::array json_of(const std::vector<std::string>& parts) {
  json::array out;
  for (const std::string& it : parts) out.emplace_back(it);
  return out;
}

std::string dates_text(const net::CertificateInfo& certificate, UnixTime now) {
  const std::int64_t days = (certificate.not_after - now).ns() / 1'000'000'000 / 86400;
  return fmt::format("valid {} to {} (days left: {})", format_utc(certificate.not_before, 0),
                     format_utc(certificate.not_after, 0), days);
}

json::object json_of(const net::CertificateInfo& certificate) {
  return {{"subject", printable(certificate.subject)},
          {"issuer", printable(certificate.issuer)},
          {"names", json_of(names_of(certificate))},
          {"not_before", format_utc(certificate.not_before, 0)},
          {"not_after", format_utc(certificate.not_after, 0)},
          {"key", certificate.key_type},
          {"key_sha256", to_hex(certificate.key_hash)}};
}

// What refused replies were, in the order of nts::ReplyVerdict.
std::string refusal_text(const ntp::NtsState& before, const ntp::NtsState& after) {
  for (std::size_t i = 1; i < nts::kReplyVerdictCount; ++i) {
    if (after.verdicts[i] == before.verdicts[i]) continue;
    const auto verdict = static_cast<nts::ReplyVerdict>(i);
    if (verdict == nts::ReplyVerdict::kNak) {
      return "NTSN: the server does not take the cookies that the key establishment gave";
    }
    return "a reply that proves nothing: " + std::string(nts::name_of(verdict));
  }
  return "";
}

class NtsQuery {
 public:
  explicit NtsQuery(const NtsQueryOptions& options) : options_(options), log_(options.json) {}

  int run();
  bool run(json::object& out);

 private:
  Result<void> prepare();
  bool look_up_server();
  bool try_addresses();
  bool establish();
  bool show_tcp(const net::TlsExchangeResult& result);
  bool show_tls(const net::TlsExchangeResult& result);
  bool show_records(const net::TlsExchangeResult& result, const KeyDialogue& dialogue);
  bool show_keys(const nts::Establishment& keys);
  bool find_time_server(const nts::Establishment& keys);
  bool ask_for_time(const nts::Establishment& keys);
  Answer ask_once(ntp::Query& query, ntp::RandomStream& random, ntp::NtsAuthenticator& proof);
  void show_answer(Step& step, json::array& samples, const Answer& answer,
                   const ntp::NtsState& before, const ntp::NtsState& after);
  void judge_certificate_by(const ntp::Sample& sample, Step& step) const;

  const NtsQueryOptions& options_;
  StepLog log_;
  HostPort host_;
  nts::KeClientConfig records_;
  std::shared_ptr<const net::TlsClientContext> tls_;
  std::vector<IpAddress> addresses_;  // of the name, at least one after look_up_server()
  Endpoint key_server_;               // that is tried now
  std::optional<net::CertificateInfo> certificate_;
  Endpoint time_server_;
};

Result<void> NtsQuery::prepare() {
  if (tls_) return {};
  host_ = TRY(parse_host_port(options_.server, kKeyPort));
  if (options_.aead) {
    const auto id = aead_of(static_cast<std::uint16_t>(*options_.aead));
    if (!id) return fail(Error{ErrorCode::kInvalid, "--aead", "must be 15 or 30"});
    CHECK(records_.aeads.push_back(*id));
  } else {
    CHECK(records_.aeads.push_back(AeadId::kAes128GcmSiv));
    CHECK(records_.aeads.push_back(AeadId::kAesSivCmac256));
  }
  net::TlsClientOptions tls;
  tls.ca_files = {options_.ca.value_or(std::string(net::TlsClientContext::kSystemAuthorities))};
  tls_ = TRY(net::TlsClientContext::create(std::move(tls)));
  return {};
}

bool NtsQuery::look_up_server() {
  Step step{"dns", "", {}, {}, {}};
  const MonoTime start = sys::mono_now();
  const Result<std::vector<IpAddress>> found =
      options_.known_addresses ? Result<std::vector<IpAddress>>(*options_.known_addresses)
                               : look_up(options_.address.value_or(host_.host), options_.families);
  step.took = sys::mono_now() - start + options_.address_took;
  if (!found.ok()) {
    step.failure = found.error().text();
    return log_.add(step);
  }
  if (found->empty()) {
    step.failure = host_.host + ": no address, " + options_.address_note;
    return log_.add(step);
  }
  std::vector<std::string> addresses;
  for (const IpAddress& it : *found) addresses.push_back(format(it));
  addresses_ = *found;
  step.lines = {host_.host + ": " + joined(addresses) + (options_.address ? ", as asked" : "")};
  if (!options_.address_note.empty()) step.lines.push_back(options_.address_note);
  step.facts = {{"name", host_.host}, {"addresses", json_of(addresses)}};
  return log_.add(step);
}

// As the daemon does, which goes on to another address of the name when one fails, whatever the
// reason: each is another machine, maybe.
bool NtsQuery::try_addresses() {
  const std::size_t count = std::min(addresses_.size(), kMaxTried);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) log_.begin_another();
    key_server_ = {addresses_[i], host_.port};
    if (establish()) return true;
  }
  return false;
}

bool NtsQuery::establish() {
  KeyDialogue dialogue(records_);
  net::TlsExchangeRequest request;
  request.server = key_server_;
  request.peer.name = host_.host;
  request.peer.dates = {net::TlsDates::Check::kAt, sys::unix_now()};
  request.peer.enforced = !options_.no_verify;
  request.context = tls_;
  request.timeout = std::max(kKeyTimeout, options_.timeout);
  net::Reactor reactor;
  std::optional<net::TlsExchangeResult> result;
  const net::TlsExchange exchange(reactor, request, dialogue,
                                  [&](const net::TlsExchangeResult& it) { result = it; });
  while (!result) reactor.run_once();
  certificate_ = result->certificate;
  return show_tcp(*result) && show_tls(*result) && show_records(*result, dialogue) &&
         show_keys(**dialogue.answer) && find_time_server(**dialogue.answer) &&
         ask_for_time(**dialogue.answer);
}

bool NtsQuery::show_tcp(const net::TlsExchangeResult& result) {
  Step step{"tcp", "", result.connected, {}, {{"address", format(key_server_)}}};
  if (result.step == net::TlsStep::kConnect && result.end != net::TlsExchangeEnd::kAnswered) {
    step.took = result.total;
    step.failure = format(key_server_) + ": " + result.text;
    return log_.add(step);
  }
  step.lines = {"connected to " + format(key_server_)};
  return log_.add(step);
}

bool NtsQuery::show_tls(const net::TlsExchangeResult& result) {
  const bool open = result.step == net::TlsStep::kAnswer;
  Step step{"tls", "", (open ? result.opened : result.total) - result.connected, {}, {}};
  if (open)
    step.lines.push_back(result.version + ", " + result.cipher + ", " + std::string(nts::kAlpn));
  if (!open) step.failure = printable(result.text);
  step.facts = {{"version", result.version}, {"cipher", result.cipher}};
  if (result.fault != net::TlsFault::kNone) step.facts["fault"] = net::name_of(result.fault);
  if (result.certificate) {
    const net::CertificateInfo& it = *result.certificate;
    step.lines.push_back(fmt::format("certificate: {}, {}", printable(it.subject), it.key_type));
    step.lines.push_back("issued by " + printable(it.issuer));
    step.lines.push_back("for " + joined(names_of(it)));
    step.lines.push_back(dates_text(it, sys::unix_now()));
    const bool good = result.certificate_fault == net::TlsFault::kNone;
    std::string chain = "trusted, for this name, within its dates";
    if (!good) {
      chain = fmt::format("NOT TRUSTED ({}): {}", net::name_of(result.certificate_fault),
                          printable(result.certificate_fault_text));
    }
    step.lines.push_back(chain);
    step.facts["certificate"] = json_of(it);
    step.facts["certificate_fault"] = net::name_of(result.certificate_fault);
  }
  return log_.add(step);
}

bool NtsQuery::show_records(const net::TlsExchangeResult& result, const KeyDialogue& dialogue) {
  const nts::KeClient& client = dialogue.client;
  Step step{"records", "", result.total - result.opened, {}, {}};
  step.lines.push_back(fmt::format("sent {} octets", client.request().size()));
  for (const std::string& it : record_lines(client.request())) step.lines.push_back("  " + it);
  step.lines.push_back(fmt::format("received {} octets", client.response().size()));
  for (const std::string& it : record_lines(client.response())) step.lines.push_back("  " + it);
  step.facts = {{"request", record_json(client.request())},
                {"response", record_json(client.response())}};
  if (!dialogue.answer) {
    step.failure = result.text;
  } else if (!dialogue.answer->ok()) {
    step.failure = nts::describe(dialogue.answer->error());
    step.facts["fault"] = nts::name_of(dialogue.answer->error());
  }
  return log_.add(step);
}

bool NtsQuery::show_keys(const nts::Establishment& keys) {
  Step step{"keys", "", {}, {}, {}};
  json::array sizes;
  for (const nts::Cookie& it : keys.cookies) sizes.emplace_back(it.size());
  step.lines.push_back(fmt::format("{}, {} cookies, the first of {} octets",
                                   name_of(keys.keys.aead), keys.cookies.size(),
                                   keys.cookies.front().size()));
  if (keys.other_keys) {
    step.lines.emplace_back(
        "no record 1024: the keys may come from the exporter context of chrony 4.4");
  }
  step.facts = {{"aead", static_cast<int>(keys.keys.aead)},
                {"aead_name", name_of(keys.keys.aead)},
                {"cookies", keys.cookies.size()},
                {"cookie_octets", sizes},
                {"compliant_context", !keys.other_keys.has_value()}};
  return log_.add(step);
}

// RFC 8915 4.1.7, 4.1.8: the server that was named, else the address of the key establishment.
bool NtsQuery::find_time_server(const nts::Establishment& keys) {
  Step step{"server", "", {}, {}, {}};
  time_server_ = {key_server_.address, keys.port};
  if (!keys.server.empty()) {
    Families families = options_.families;
    const MonoTime start = sys::mono_now();
    const auto found = look_up(keys.server, families);
    step.took = sys::mono_now() - start;
    if (!found.ok()) {
      step.failure = found.error().text();
      return log_.add(step);
    }
    time_server_.address = found->front();
    for (const IpAddress& it : *found) {
      if (it.family() != key_server_.address.family()) continue;
      time_server_.address = it;
      break;
    }
  }
  const std::string told =
      keys.server.empty() ? "the address of the key establishment" : "told as " + keys.server;
  step.lines.push_back(format(time_server_) + ", " + told);
  step.facts = {{"address", format(time_server_.address)},
                {"port", time_server_.port},
                {"named", keys.server}};
  return log_.add(step);
}

Answer NtsQuery::ask_once(ntp::Query& query, ntp::RandomStream& random,
                          ntp::NtsAuthenticator& proof) {
  const ntp::NtsState before = proof.state();
  auto answer = ask(time_server_, options_.timeout, query, random);
  Answer out = answer.ok() ? *answer : Answer{{}, answer.error().text()};
  if (out.failure.empty()) return out;
  const std::string refusal = refusal_text(before, proof.state());
  if (!refusal.empty()) out.failure = refusal;
  return out;
}

// RFC 8915 8.5: the certificate was judged by our own clock, which may be what is wrong.
void NtsQuery::judge_certificate_by(const ntp::Sample& sample, Step& step) const {
  if (!certificate_) return;
  const UnixTime there = sys::unix_now() + sample.offset;
  const bool within = certificate_->valid_at(there);
  step.facts["certificate_valid_at_its_time"] = within;
  if (!within) {
    step.lines.push_back("the certificate is not valid at the time that the server tells: " +
                         format_utc(there, 0));
  }
}

void NtsQuery::show_answer(Step& step, json::array& samples, const Answer& answer,
                           const ntp::NtsState& before, const ntp::NtsState& after) {
  const std::uint64_t fresh = after.cookies_taken - before.cookies_taken;
  json::object sample = json_of(answer);
  sample["authentic"] = answer.failure.empty();
  sample["new_cookies"] = fresh;
  samples.push_back(std::move(sample));
  if (!answer.failure.empty()) {
    step.lines.push_back(answer.failure);
    return;
  }
  step.lines.push_back(
      fmt::format("authentic: {}, {} new cookie{}", text_of(answer), fresh, fresh == 1 ? "" : "s"));
}

bool NtsQuery::ask_for_time(const nts::Establishment& keys) {
  const crypto::GcryptAeads aeads;
  ntp::NtsAuthenticator proof(aeads, keys);
  ntp::Query query(exchange_config(options_.timeout), proof);
  ntp::RandomStream random({sys::random_u64(), sys::random_u64()});
  Step step{"ntp", "", {}, {}, {}};
  json::array samples;
  const MonoTime start = sys::mono_now();
  // A server that did not say where its keys come from is asked once more with the other ones.
  int left = options_.count + (keys.other_keys ? 1 : 0);
  std::string failure;
  for (int answers = 0; answers < options_.count && left > 0; --left) {
    if (!samples.empty()) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(options_.interval.ns()));
    }
    const ntp::NtsState before = proof.state();
    const Answer answer = ask_once(query, random, proof);
    show_answer(step, samples, answer, before, proof.state());
    if (!answer.failure.empty()) failure = answer.failure;
    const bool other_keys_next = proof.state().naks_in_all == 1 && keys.other_keys;
    if (!other_keys_next || answer.failure.empty()) ++answers;
    if (answer.failure.empty() && answers == options_.count) {
      judge_certificate_by(answer.reply.sample, step);
    }
  }
  step.took = sys::mono_now() - start;
  if (!proof.proven()) step.failure = failure;
  step.facts["samples"] = std::move(samples);
  step.facts["cookies_left"] = proof.cookies();
  return log_.add(step);
}

int NtsQuery::run() {
  const auto prepared = prepare();
  if (!prepared.ok()) return failed(prepared.error());
  json::object out;
  const bool ok = run(out);
  if (options_.json) print_json(out);
  return ok ? kOk : kFailed;
}

bool NtsQuery::run(json::object& out) {
  out = {{"server", options_.server}, {"verified", !options_.no_verify}};
  const auto prepared = prepare();
  if (!prepared.ok()) {
    static_cast<void>(failed(prepared.error()));
    return false;
  }
  const bool warn = options_.no_verify && !options_.json;
  if (warn) print(std::string(kNotVerified));
  const bool ok = look_up_server() && try_addresses();
  if (warn) print(std::string(kNotVerified));
  for (const auto& [key, value] : log_.json()) out[key] = value;
  return ok;
}

}  // namespace

int query_nts(const NtsQueryOptions& options) {
  return NtsQuery(options).run();
}

bool query_nts(const NtsQueryOptions& options, json::object& out) {
  return NtsQuery(options).run(out);
}

}  // namespace timepool::cli
